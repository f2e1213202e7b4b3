import fc from 'fast-check';
import { expect, it } from 'vitest';
import { EventStreamParser } from '../../../src/page/tail/event-stream.ts';

const STREAM = [
  'retry: 2000\n\n',
  'event: log\nid: 1\ndata: {"a":1}\n\n',
  ': a comment\r\ndata: first\r\ndata: second\r\n\r\n',
  'id: 7\n\n',
  'event: skipped\ndata: {"count":3}\n\n',
].join('');
const EVENTS = [
  { name: 'log', data: '{"a":1}' },
  { name: 'message', data: 'first\nsecond' },
  { name: 'skipped', data: '{"count":3}' },
];

it('reads events, the last id and the time to wait', () => {
  const parser = new EventStreamParser();
  expect(parser.push(STREAM)).toEqual(EVENTS);
  expect([parser.lastId, parser.retryMs]).toEqual(['7', 2000]);
});

it('reads the same from pieces of any length', () => {
  fc.assert(
    fc.property(fc.array(fc.nat(STREAM.length)), (cuts) => {
      const places = [0, ...cuts.toSorted((a, b) => a - b), STREAM.length];
      const parser = new EventStreamParser();
      const events = places.flatMap((start, at) =>
        parser.push(STREAM.slice(start, places[at + 1] ?? STREAM.length)),
      );
      expect(events).toEqual(EVENTS);
    }),
  );
});

it('does not move the place for an event that is not complete', () => {
  const parser = new EventStreamParser();
  parser.push('id: 1\ndata: a\n\nid: 2\ndata: b\n');
  expect(parser.lastId).toBe('1');
});
