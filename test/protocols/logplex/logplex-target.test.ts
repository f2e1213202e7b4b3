import { describe, expect, it } from 'vitest';
import { isFault, parseLogplexUrl, tokenTarget } from '../../../src/protocols/logplex/logplex-target.ts';

const basic = (credentials: string) => `Basic ${Buffer.from(credentials).toString('base64')}`;

describe('a URL with credentials', () => {
  it('is parsed', () => {
    expect(
      parseLogplexUrl('https://token:t.9d19ac58-0597-4ea0-94b0-45778803597c@logs.example.com/logs'),
    ).toEqual({
      protocol: 'https:',
      host: 'logs.example.com',
      port: 443,
      path: '/logs',
      origin: 'https://logs.example.com',
      authorization: 'Basic dG9rZW46dC45ZDE5YWM1OC0wNTk3LTRlYTAtOTRiMC00NTc3ODgwMzU5N2M=',
      token: 't.9d19ac58-0597-4ea0-94b0-45778803597c',
    });
  });

  it('keeps port, prefix and query, and accepts IPv6 and percent-encoding', () => {
    expect(parseLogplexUrl('http://us%65r:p%40ss%3aword@[::1]:8601/a/logs?x=1#y')).toMatchObject({
      protocol: 'http:',
      host: '::1',
      port: 8601,
      path: '/a/logs?x=1',
      origin: 'http://[::1]:8601',
      authorization: basic('user:p@ss:word'),
      token: 'p@ss:word',
    });
  });

  it.each([
    ['https://logs.example.com/logs', /user and token/],
    ['https://token@logs.example.com/logs', /token after the user/],
    ['https://token:@logs.example.com/logs', /token after the user/],
    ['https://token:a%20secret@logs.example.com/logs', /token of 1 to 255 printable/],
    ['https://token:s%C3%A9cret@logs.example.com/logs', /token of 1 to 255 printable/],
    [`https://token:${'s'.repeat(256)}@logs.example.com/logs`, /token of 1 to 255 printable/],
    ['https://token:secret%zz@logs.example.com/logs', /percent-encoded/],
    ['ftp://token:secret@logs.example.com/logs', /https: or http:/],
    ['secret', /https: or http:/],
    ['', /https: or http:/],
  ])('is rejected without being quoted: %s', (url, expected) => {
    const parsed = parseLogplexUrl(url);
    const fault = isFault(parsed) ? parsed.fault : '';
    expect(fault).toMatch(expected);
    expect(fault).not.toMatch(/secret|sss/);
  });
});

describe('a token at a URL for all', () => {
  it('is the password, unless the URL has its own', () => {
    expect(tokenTarget('t.one', 'https://logs.example.com/logs')).toMatchObject({
      authorization: basic('token:t.one'),
      token: 't.one',
    });
    expect(tokenTarget('t.one', 'https://id:all@logs.example.com/logs')).toMatchObject({
      authorization: basic('id:all'),
      token: 't.one',
    });
  });

  it('is rejected with a blank', () => {
    expect(tokenTarget('t one', 'https://logs.example.com/logs')).toHaveProperty('fault');
  });
});
