import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { parseServes } from '../../../src/protocols/febe/parse-serves.ts';

const RULES = { tokensAllowed: true };
const URL_RECORD = { i: 'a', p: '/run/a', url: 'https://token:SECRET@example.com/logs' };
const TOKEN_RECORD = { i: 'b', p: '/run/b', t: 'SECRET' };

const parse = (serves: unknown, rules = RULES) => parseServes(JSON.stringify({ serves }), rules);

describe('the serve database', () => {
  it('accepts both kinds of records, and unknown keys', () => {
    const text = JSON.stringify({ serves: [{ ...URL_RECORD, name: 'db1', x: 1 }, TOKEN_RECORD], version: 3 });
    expect(parseServes(text, RULES)).toEqual({
      kind: 'records',
      records: [
        {
          identity: 'a',
          path: '/run/a',
          name: 'db1',
          credential: { kind: 'url', url: new URL(URL_RECORD.url) },
        },
        { identity: 'b', path: '/run/b', name: undefined, credential: { kind: 'token', token: 'SECRET' } },
      ],
    });
  });

  it('accepts an empty list and an empty identity', () => {
    expect(parse([])).toEqual({ kind: 'records', records: [] });
    expect(parse([{ ...URL_RECORD, i: '' }])).toMatchObject({ records: [{ identity: '' }] });
  });

  it('prefers the URL when there is a token as well', () => {
    const both = parse([{ ...URL_RECORD, t: 'x' }], { tokensAllowed: false });
    expect(both).toMatchObject({ records: [{ credential: { kind: 'url' } }] });
  });

  it('accepts a path of 107 bytes', () => {
    expect(parse([{ ...URL_RECORD, p: `/${'x'.repeat(106)}` }]).kind).toBe('records');
  });

  it.each<[string, string]>([
    ['', 'is not valid JSON'],
    ['{"serves": [}', 'is not valid JSON'],
    ['{"serves": [{"t": "SECRET", oops', 'is not valid JSON'],
    ['SECRET', 'is not valid JSON'],
    ['[]', 'must be a JSON object, got a list'],
    ['null', 'must be a JSON object, got null'],
    ['{}', 'serves: must be a list, got nothing'],
    ['{"serves": {}}', 'serves: must be a list, got an object'],
    ['{"serves": ["SECRET"]}', 'serves[0]: must be an object, got a string'],
  ])('rejects %s', (text, reason) => {
    const parsed = parseServes(text, RULES);
    expect(parsed).toMatchObject({ kind: 'rejected', reason: expect.stringContaining(reason) as string });
    expect(JSON.stringify(parsed)).not.toContain('SECRET');
  });

  it.each<[object, string]>([
    [{ i: undefined }, 'serves[1].i: is missing'],
    [{ i: 1 }, 'serves[1].i: must be a string, got a number'],
    [{ i: 'a\0' }, 'serves[1].i: must not contain a NUL'],
    [{ i: 'é'.repeat(513) }, 'serves[1].i: must have at most 1024 bytes'],
    [{ p: undefined }, 'serves[1].p: is missing'],
    [{ p: ['/x'] }, 'serves[1].p: must be a string, got a list'],
    [{ p: 'run/b' }, 'serves[1].p: must be an absolute path'],
    [{ p: '/run/' }, 'serves[1].p: must name a file, not a directory'],
    [{ p: `/${'x'.repeat(107)}` }, 'serves[1].p: must have at most 107 bytes, got 108'],
    [{ p: `/${'é'.repeat(54)}` }, 'serves[1].p: must have at most 107 bytes, got 109'],
    [{ p: '/run/a' }, 'serves[1].p: is the same as that of serves[0]'],
    [{ p: '/run/../run//a' }, 'serves[1].p: is the same as that of serves[0]'],
    [{ t: undefined }, 'serves[1]: must have url or t'],
    [{ t: 1 }, 'serves[1].t: must be a string, got a number'],
    [{ t: '' }, 'serves[1].t: must not be empty'],
    [{ url: null }, 'serves[1].url: must be a string, got null'],
    [{ url: 'SECRET' }, 'serves[1].url: must be a URL'],
    [{ url: 'ftp://token:SECRET@example.com' }, 'serves[1].url: must begin with http: or https:'],
    [{ url: 'https://SECRET@example.com' }, 'serves[1].url: must contain a password'],
    [{ name: 7 }, 'serves[1].name: must be a string, got a number'],
  ])('rejects a record with %j', (change, reason) => {
    expect(parse([URL_RECORD, { ...TOKEN_RECORD, ...change }])).toEqual({ kind: 'rejected', reason });
  });

  it('rejects a token without a URL to use it', () => {
    const reason = 'serves[0].t: requires LOGPLEX_URL, which is not set';
    expect(parse([TOKEN_RECORD], { tokensAllowed: false })).toEqual({ kind: 'rejected', reason });
  });

  it('never throws, and returns the reason in one line', () => {
    fc.assert(
      fc.property(
        fc.oneof(
          fc.json(),
          fc.json().map((json) => `{"serves":[${json}]}`),
          fc.string(),
        ),
        (text) => {
          const parsed = parseServes(text, RULES);
          if (parsed.kind === 'rejected') expect(parsed.reason).toMatch(/^[^\n]+$/);
        },
      ),
    );
  });
});

it('rejects a new token that logplex cannot accept, and keeps an active one', () => {
  const record = { i: 'b', p: '/run/b', t: 'SECRET with blanks' };
  const rejected = parse([record], { tokensAllowed: true, credentialsChecked: true } as typeof RULES);
  expect(rejected).toMatchObject({
    kind: 'rejected',
    reason: expect.stringContaining('serves[0].t: expected a token'),
  });
  expect(JSON.stringify(rejected)).not.toContain('SECRET');
  expect(parse([record])).toMatchObject({ kind: 'records' });
});
