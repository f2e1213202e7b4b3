import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  EventStreamDecoder,
  EventTooLargeError,
  type StreamEvent,
} from '../../../../src/cli/monitor/api/event-stream-decoder.ts';

const decode = (...parts: readonly string[]): readonly StreamEvent[] => {
  const decoder = new EventStreamDecoder();
  return parts.flatMap((part) => decoder.push(part));
};

const event = (data: string, type = 'message', id?: string): StreamEvent => ({ type, data, id });

describe('server-sent events', () => {
  test.each<readonly [string, string, readonly StreamEvent[]]>([
    ['with type, id and data', 'event: log\nid: 7\ndata: {}\n\n', [event('{}', 'log', '7')]],
    ['of several lines', 'data: a\ndata: b\ndata\n\n', [event('a\nb\n')]],
    ['one blank belongs to the field, a second to the value', 'data:a\ndata:  b\n\n', [event('a\n b')]],
    ['comments are none', ': still here\n\n:\n\ndata: x\n\n', [event('x')]],
    [
      'with nothing but an id',
      'id: 5\n\ndata: x\n\n',
      [event('', 'message', '5'), event('x', 'message', '5')],
    ],
    [
      'an id stays until the next',
      'id: 5\ndata: a\n\ndata: b\n\n',
      ['a', 'b'].map((data) => event(data, 'message', '5')),
    ],
    ['an id with NUL is none', 'id: 5\0\ndata: a\n\n', [event('a')]],
    ['unknown fields are ignored', 'retry: 10\nnews: x\n\ndata: a\n\n', [event('a')]],
    ['a byte order mark at the beginning is none', '\ufeffdata: a\n\n', [event('a')]],
    ['lines may end with CR', 'data: a\rdata: b\r\rdata: c\r\r', [event('a\nb'), event('c')]],
    ['or with CRLF', 'data: a\r\ndata: b\r\n\r\n', [event('a\nb')]],
    ['what has not ended is not there', 'data: a\n\ndata: b\n', [event('a')]],
  ])('%s', (_, text, expected) => {
    expect(decode(text)).toEqual(expected);
  });

  test('are the same however they are split', () => {
    const lines = fc.array(
      fc.constantFrom('data: a', 'data', 'event: log', 'id: 1', 'id', ': comment', '', 'x: \ufeffé🎉'),
    );
    const endings = fc.infiniteStream(fc.constantFrom('\n', '\r', '\r\n'));
    fc.assert(
      fc.property(lines, endings, fc.array(fc.nat({ max: 200 })), (all, ends, cuts) => {
        const text = all.map((line) => line + ends.next().value).join('');
        const places = [0, ...cuts.map((cut) => Math.min(cut, text.length)), text.length].sort(
          (a, b) => a - b,
        );
        const parts = places.slice(1).map((end, index) => text.slice(places[index], end));
        expect(decode(...parts)).toEqual(decode(text));
      }),
    );
  });

  test('have a limit', () => {
    const decoder = new EventStreamDecoder();
    const piece = `data: ${'x'.repeat(2 ** 20)}\n`;
    expect(() => {
      for (let i = 0; i < 33; i++) decoder.push(piece);
    }).toThrow(EventTooLargeError);
    expect(() => {
      for (let i = 0; i < 33; i++) decoder.push('x'.repeat(2 ** 20));
    }).toThrow(EventTooLargeError);
  });
});
