import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { encodeFrame } from '../../../src/protocols/febe/encode-frame.ts';
import { type FebeFault, febeFault } from '../../../src/protocols/febe/febe-fault.ts';
import { type FebeHandler, FebeSession } from '../../../src/protocols/febe/febe-session.ts';
import { febeCapture } from '../../support/febe-capture.ts';
import { chunksOf, greeting, recordFrame, recordPayload } from '../../support/febe-frames.ts';

/** Everything a session told, as text, and the fault that ended it. */
function told(chunks: Iterable<Uint8Array>): { events: string[]; fault: FebeFault | undefined } {
  const events: string[] = [];
  const handler: FebeHandler = {
    version: ({ text }) => void events.push(`version ${text}`),
    identity: (identity) => void events.push(`identity ${Buffer.from(identity).toString('latin1')}`),
    record: (payload) => void events.push(`record ${Buffer.from(payload).toString('latin1')}`),
  };
  const session = new FebeSession(handler);
  for (const chunk of chunks) {
    const fault = session.push(Uint8Array.from(chunk));
    if (fault !== undefined) return { events, fault };
  }
  return { events, fault: session.end() };
}

const HELLO = greeting('apple');
const frame = (type: string, payload: string | Uint8Array) =>
  encodeFrame(type.charCodeAt(0), typeof payload === 'string' ? Buffer.from(payload, 'latin1') : payload);

const VERSION = frame('V', 'PG-15.1/logfebe-1\0');

describe('a febe session', () => {
  it('reads what real extensions send', () => {
    const { chunks, connections } = febeCapture();
    expect(chunks).toHaveLength(10);
    for (const [index, bytes] of chunks.entries()) {
      const { events, fault } = told([bytes]);
      expect(fault).toBeUndefined();
      expect(events[0]).toBe('version 15.20 (Debian 15.20-0+deb12u1)');
      expect(events[1]).toBe('identity real identity');
      expect(events).toHaveLength(2 + (connections[index]?.records.length ?? 0));
    }
  });

  it('returns the same for every split into two pieces', () => {
    const bytes = Buffer.concat([HELLO, recordFrame('one'), recordFrame('two')]);
    const whole = told([bytes]);
    expect(whole.events).toHaveLength(4);
    for (let at = 0; at <= bytes.length; at++)
      expect(told([bytes.subarray(0, at), bytes.subarray(at)])).toEqual(whole);
  });

  it('returns the same for pieces of every size', () => {
    for (const bytes of febeCapture().chunks) {
      const whole = told([bytes]);
      for (const size of [1, 2, 3, 4, 5, 6, 7, 64, 1000, 4096])
        expect(told(chunksOf(bytes, size))).toEqual(whole);
    }
  });

  it('returns the same for any split of any bytes', () => {
    const bytes = fc.oneof(
      fc.uint8Array({ maxLength: 200 }),
      fc
        .array(fc.string({ maxLength: 300 }), { maxLength: 5 })
        .map((messages) => Buffer.concat([HELLO, ...messages.map((message) => recordFrame(message))])),
      fc.uint8Array({ maxLength: 100 }).map((tail) => Buffer.concat([HELLO, recordFrame('x'), tail])),
    );
    fc.assert(
      fc.property(bytes, fc.array(fc.nat(600), { maxLength: 8 }), (input, cuts) => {
        const ends = [...cuts.map((cut) => Math.min(cut, input.length)), input.length].sort((a, b) => a - b);
        const pieces = ends.map((end, index) => input.subarray(ends[index - 1] ?? 0, end));
        expect(told(pieces)).toEqual(told([input]));
      }),
      { numRuns: 500 },
    );
  });

  it('accepts an identity with and without stray bytes, and passes on none of them', () => {
    const real = Buffer.from('490000000d6170706c65000000c0', 'hex');
    const strict = Buffer.from('490000000a6170706c6500', 'hex');
    const version = Buffer.from('560000001750472d392e322e342f6c6f67666562652d3100', 'hex');
    for (const identity of [real, strict])
      expect(told([version, identity])).toEqual({
        events: ['version 9.2.4', 'identity apple'],
        fault: undefined,
      });
  });

  it('accepts an empty identity', () => {
    expect(told([greeting('')]).events[1]).toBe('identity ');
  });

  it('accepts text after an absent marker', () => {
    const absent = recordPayload('m', { UserName: null });
    const at = absent.indexOf('N\0');
    const payload = Buffer.concat([absent.subarray(0, at + 1), Buffer.from('A'), absent.subarray(at + 1)]);
    expect(told([HELLO, frame('L', payload)]).fault).toBeUndefined();
  });

  it('accepts the smallest possible payload', () => {
    const payload = Buffer.concat([
      Buffer.from('\0N\0N\0\0\0\0\0N\0\0', 'latin1'),
      Buffer.alloc(8),
      Buffer.from('N\0\0N\0', 'latin1'),
      Buffer.alloc(12),
      Buffer.from('N\0N\0N\0N\0N\0', 'latin1'),
      Buffer.alloc(4),
      Buffer.from('N\0N\0\0\0\0\0N\0N\0', 'latin1'),
    ]);
    expect(payload).toHaveLength(63);
    expect(told([HELLO, frame('L', payload)]).fault).toBeUndefined();
  });

  it.each<[string, Buffer, FebeFault['kind']]>([
    ['a record before the identity', Buffer.concat([VERSION, recordFrame('x')]), 'unexpected frame'],
    ['a record first', recordFrame('x'), 'unexpected frame'],
    ['a second version', Buffer.concat([HELLO, HELLO]), 'unexpected frame'],
    ['a type of 0', Buffer.concat([HELLO, Buffer.alloc(1)]), 'unexpected frame'],
    ['a length of 0', Buffer.from('5600000000', 'hex'), 'bad length'],
    ['a length of 3', Buffer.from('5600000003', 'hex'), 'bad length'],
    ['a version without NUL', Buffer.from('5600000004', 'hex'), 'bad version'],
    ['a huge version', Buffer.from('5600002801', 'hex'), 'bad length'],
    ['the greatest length', Buffer.concat([HELLO, Buffer.from('4cffffffff', 'hex')]), 'bad length'],
    [
      'a record one byte above the limit',
      Buffer.concat([HELLO, Buffer.from('4c00100001', 'hex')]),
      'bad length',
    ],
    ['an identity without NUL', Buffer.concat([VERSION, frame('I', 'apple')]), 'bad identity'],
    [
      'a byte behind the last field',
      Buffer.concat([HELLO, frame('L', Buffer.concat([recordPayload('x'), Buffer.alloc(1)]))]),
      'bad record',
    ],
    [
      'a payload one byte short',
      Buffer.concat([HELLO, frame('L', recordPayload('x').subarray(0, -1))]),
      'bad record',
    ],
    ['an empty record', Buffer.concat([HELLO, frame('L', '')]), 'bad record'],
    [
      'a marker that is neither',
      Buffer.concat([HELLO, frame('L', recordPayload('x').fill('Q', 28, 29))]),
      'bad record',
    ],
    ['an end inside a frame', Buffer.concat([HELLO, recordFrame('x').subarray(0, 40)]), 'truncated'],
    ['an end inside a header', Buffer.concat([HELLO, recordFrame('x').subarray(0, 3)]), 'truncated'],
  ])('rejects %s', (_, bytes, kind) => {
    const whole = told([bytes]);
    expect(whole.fault).toMatchObject({ kind });
    expect(told(chunksOf(bytes, 1))).toEqual(whole);
  });

  it('rejects a length before its payload has arrived', () => {
    expect(told([HELLO, Buffer.from('4c7fffffff', 'hex')]).fault).toMatchObject({ kind: 'bad length' });
  });

  it('ends with the fault that its handler gives', () => {
    const fault = febeFault('bad identity', 'not the one');
    const session = new FebeSession({
      version: () => undefined,
      identity: () => fault,
      record: () => undefined,
    });
    expect(session.push(HELLO)).toBe(fault);
  });

  it('never returns a byte after the identity', () => {
    const secret = greeting('apple', 'PG-15.1/logfebe-1', 'SECRET-MEMORY');
    const { events, fault } = told([secret, Buffer.from('?')]);
    expect(JSON.stringify({ events, fault })).not.toContain('SECRET');
  });
});
