import { expect, test } from 'vitest';
import { parseFormatDescription } from '../../src/formats/described/format-description.ts';
import { json } from '../../src/formats/json.ts';

function parse(description: string, object: unknown, zone?: string) {
  const described = parseFormatDescription(description);
  if (typeof described === 'string') throw new Error(described);
  const resource = new Map<string, string>();
  if (described.options !== undefined) resource.set('megacollector.format_options', described.options);
  if (zone !== undefined) resource.set('megacollector.timezone', zone);
  return json.parse(Buffer.from(JSON.stringify(object)), { resource, observedTimeUnixNano: 0n });
}

const OBJECT = { when: '2026-11-28T10:00:00Z', ts: 7, prio: 1, text: 'hello', level: 'x', msg: 'not this' };

test('reads time, severity and message from chosen keys', () => {
  const read = parse('json?time=when&level=prio&message=text&levels=1:error,2:warn', OBJECT);
  expect(read).toEqual({
    timeUnixNano: BigInt(Date.parse('2026-11-28T10:00:00Z')) * 1_000_000n,
    severityNumber: 17,
    severityText: '1',
    body: 'hello',
    attributes: new Map<string, unknown>([
      ['ts', 7],
      ['level', 'x'],
      ['msg', 'not this'],
    ]),
  });
});

test('keeps the usual keys that are not described', () => {
  expect(parse('json?message=text', OBJECT)).toMatchObject({ body: 'hello' });
  expect(parse('json', OBJECT)).toMatchObject({ body: 'not this' });
  expect(parse('json?levels=x:fatal', OBJECT)).toMatchObject({ severityNumber: 21, severityText: 'x' });
});

test('reads a time without a zone in the zone of the source', () => {
  const object = { time: '2026-07-11 22:14:15.5', msg: 'm' };
  expect(parse('json', object).timeUnixNano).toBeUndefined();
  expect(parse('json', object, 'Europe/Paris').timeUnixNano).toBe(
    BigInt(Date.parse('2026-07-11T20:14:15.5Z')) * 1_000_000n,
  );
  expect(parse('json', { time: '2026-07-11T22:14:15Z' }, 'Europe/Paris').timeUnixNano).toBe(
    BigInt(Date.parse('2026-07-11T22:14:15Z')) * 1_000_000n,
  );
});

test.each([
  ['json?tiem=a', 'expected the options time, level, message, levels, found "tiem"'],
  ['json?time=', 'expected a value of "time", found none'],
  ['json?levels=1', 'expected levels such as "1:error,2:warn", found "1"'],
  ['json?levels=1:bad', 'expected levels such as "1:error,2:warn", found "1:bad"'],
  ['access', 'expected a description: "access:" and a log_format or LogFormat'],
])('rejects %s', (description, reason) => {
  expect(parseFormatDescription(description)).toBe(reason);
});
