import { describe, expect, it } from 'vitest';
import type { GrpcServerCall } from '../../../src/protocols/grpc/grpc-server-method.ts';
import { GrpcServerStream } from '../../../src/protocols/grpc/grpc-server-stream.ts';
import { messagePrefix } from '../../../src/protocols/grpc/message-assembler.ts';
import { type HeaderList, headerOf } from '../../../src/protocols/http2/header-list.ts';
import type { Http2Stream, SendOptions } from '../../../src/protocols/http2/http2-stream.ts';
import { FakeClock } from '../../support/fake-clock.ts';

/** Keeps what is sent on it. */
class RecordedStream implements Http2Stream {
  readonly id = 1;
  isClosed = false;
  queuedBytes = 0;
  unconsumedBytes = 0;
  readonly headers: HeaderList[] = [];
  readonly sent: (() => void)[] = [];
  consumedBytes = 0;
  resetCode: number | undefined;

  sendHeaders(headers: HeaderList): void {
    this.headers.push(headers);
  }

  sendData(parts: readonly Uint8Array[], { onSent }: SendOptions = {}): void {
    this.queuedBytes += parts.reduce((sum, { length }) => sum + length, 0);
    if (onSent !== undefined) this.sent.push(onSent);
  }

  reset(code: number): void {
    this.resetCode = code;
  }

  consumed(bytes: number): void {
    this.consumedBytes += bytes;
  }
}

const HEADERS: HeaderList = [
  [':method', 'POST'],
  [':path', '/test.Echo/Echo'],
  ['content-type', 'application/grpc'],
  ['te', 'trailers'],
];

const framed = (text: string) => Buffer.concat([messagePrefix(text.length), Buffer.from(text)]);

function begun(headers: HeaderList = HEADERS) {
  const stream = new RecordedStream();
  const clock = new FakeClock();
  const received: string[] = [];
  let onMessage: (message: string) => void = () => {};
  let served: GrpcServerCall | undefined;
  const wait = { isNeeded: false };
  const allocated: number[] = [];
  const call = new GrpcServerStream(stream, headers, {
    peer: { address: '192.0.2.1:5000', host: '192.0.2.1', tlsSubject: undefined },
    clock,
    maxMessageBytes: 100,
    allocate: (bytes) => {
      allocated.push(bytes);
      return Buffer.alloc(bytes);
    },
    method: (path) =>
      path !== '/test.Echo/Echo'
        ? undefined
        : (accepted) => {
            served = accepted;
            return {
              mayReceive: () => !wait.isNeeded,
              receive: (message) => {
                received.push(String(message));
                onMessage(String(message));
              },
              drained: () => received.push('<drained>'),
              peerEnded: () => received.push('<end>'),
              closed: (reason) => received.push(`<closed: ${reason}>`),
            };
          },
    begun: () => {},
    progressed: () => {},
    over: () => {},
  });
  call.headers(headers, false);
  const when = (callback: (message: string) => void) => {
    onMessage = callback;
  };
  return { stream, clock, call, received, when, wait, allocated, served: () => served };
}

const statusOf = (headers: HeaderList | undefined) => headerOf(headers ?? [], 'grpc-status');

describe('the headers of a call', () => {
  it.each<[string, HeaderList, string]>([
    ['a method other than POST', [[':method', 'GET'], ...HEADERS.slice(1)], '405'],
    ['no content type', HEADERS.filter(([name]) => name !== 'content-type'), '415'],
    ['another content type', [...HEADERS.slice(0, 2), ['content-type', 'application/json']], '415'],
    ['gRPC-Web', [...HEADERS.slice(0, 2), ['content-type', 'application/grpc-web']], '415'],
  ])('with %s get an answer of HTTP', (_, headers, status) => {
    expect(headerOf(begun(headers).stream.headers[0] ?? [], ':status')).toBe(status);
  });

  it.each<[string, HeaderList, string]>([
    ['an unknown method', [HEADERS[0] ?? ['', ''], [':path', '/test.Echo/No'], ...HEADERS.slice(2)], '12'],
    ['a compression', [...HEADERS, ['grpc-encoding', 'gzip']], '12'],
    ['an invalid timeout', [...HEADERS, ['grpc-timeout', '5 s']], '13'],
  ])('with %s get a status without a call', (_, headers, status) => {
    const { stream, served } = begun(headers);
    expect(statusOf(stream.headers[0])).toBe(status);
    expect(headerOf(stream.headers[0] ?? [], 'grpc-accept-encoding')).toBe('identity');
    expect(served()).toBeUndefined();
  });

  it('may name the encoding of messages', () => {
    const headers: HeaderList = [...HEADERS.slice(0, 2), ['content-type', 'application/grpc+proto']];
    expect(begun(headers).served()).toBeDefined();
  });

  it('limit the time of the call', async () => {
    const { stream, clock, received } = begun([...HEADERS, ['grpc-timeout', '2S']]);
    await clock.advance(1_999);
    expect(stream.headers).toEqual([]);
    await clock.advance(1);
    expect(statusOf(stream.headers[0])).toBe('4');
    expect(received).toEqual(['<closed: the deadline is exceeded>']);
  });
});

describe('a paused call', () => {
  it('delivers nothing more, even of the same part, and does not return the window', () => {
    const { call, stream, received, when } = begun();
    when(() => call.pause());
    const bytes = Buffer.concat([framed('one'), framed('two'), framed('three')]);
    call.data(bytes, false);
    call.data(framed('four'), true);
    expect(received).toEqual(['one']);
    expect(stream.consumedBytes).toBe(framed('one').length);
    call.resume();
    expect(received).toEqual(['one', 'two']);
    when(() => {});
    call.resume();
    expect(received).toEqual(['one', 'two', 'three', 'four', '<end>']);
    expect(stream.consumedBytes).toBe(bytes.length + framed('four').length);
  });

  it('keeps bytes that the socket overwrites', () => {
    const { call, received } = begun();
    call.pause();
    const view = framed('kept');
    call.data(view, false);
    view.fill(0);
    call.resume();
    expect(received).toEqual(['kept']);
  });

  it('continues within a message when the method resumes it at once', () => {
    const { call, received, when } = begun();
    when(() => {
      call.pause();
      call.resume();
    });
    call.data(Buffer.concat([framed('one'), framed('two')]), true);
    expect(received).toEqual(['one', 'two', '<end>']);
  });

  it('returns the window of what it held when it ends', () => {
    const { call, stream } = begun();
    call.pause();
    call.data(framed('held'), false);
    expect(stream.consumedBytes).toBe(0);
    call.end();
    call.data(framed('late'), false);
    expect(stream.consumedBytes).toBe(framed('held').length + framed('late').length);
  });
});

describe('a call ends', () => {
  it('with RESOURCE_EXHAUSTED at a message that is too large', () => {
    const { call, stream, received } = begun();
    call.data(messagePrefix(101), false);
    expect(statusOf(stream.headers[0])).toBe('8');
    expect(received).toEqual([expect.stringContaining('<closed: the message exceeds the limit')]);
  });

  it('with INTERNAL at an incomplete last message', () => {
    const { call, stream } = begun();
    call.data(framed('cut').subarray(0, 6), true);
    expect(statusOf(stream.headers[0])).toBe('13');
  });

  it('with INTERNAL when its method throws', () => {
    const { call, stream, when } = begun();
    when(() => {
      throw new Error('broken');
    });
    call.data(framed('x'), false);
    expect(statusOf(stream.headers[0])).toBe('13');
    expect(headerOf(stream.headers[0] ?? [], 'grpc-message')).toBe('broken');
  });

  it('with the status in trailers after an answer', () => {
    const { call, stream } = begun();
    call.send(Buffer.from('answer'));
    call.end();
    expect(stream.headers.map((list) => [headerOf(list, ':status'), statusOf(list)])).toEqual([
      ['200', undefined],
      [undefined, '0'],
    ]);
  });

  it('with a reset when the peer does not read the status within a minute', async () => {
    const { call, clock, stream } = begun();
    call.send(Buffer.alloc(50));
    call.end();
    await clock.advance(60_000);
    expect(stream.resetCode).toBe(8);
  });
});

it('reports a peer that does not read many small messages, and when it has read half of them', () => {
  const { stream, received, served } = begun();
  const results = Array.from({ length: 1_025 }, () => served()?.send(Buffer.from('x')));
  expect(results.indexOf(false)).toBe(1_024);
  stream.queuedBytes = 0;
  for (const sent of stream.sent.slice(0, 512)) sent();
  expect(received).toEqual([]);
  stream.sent[512]?.();
  expect(received).toEqual(['<drained>']);
});

it('reports a peer that does not read, and when it has read', () => {
  const { call, stream, received } = begun();
  expect(call.send(Buffer.alloc(60 * 1024))).toBe(true);
  expect(call.send(Buffer.alloc(10 * 1024))).toBe(false);
  stream.queuedBytes = 40 * 1024;
  stream.sent[0]?.();
  expect(received).toEqual([]);
  stream.queuedBytes = 0;
  stream.sent[1]?.();
  expect(received).toEqual(['<drained>']);
});

describe('a message that must wait', () => {
  it('has no memory, and the window of its stream is not returned, until the call is resumed', () => {
    const { stream, call, received, wait, allocated, served } = begun();
    wait.isNeeded = true;
    call.data(Buffer.concat([framed('one'), framed('two')]), false);
    call.data(framed('three'), true);
    expect(received).toEqual([]);
    expect(allocated).toEqual([]);
    expect(stream.consumedBytes).toBe(5);
    expect(call.isPaused).toBe(true);
    served()?.resume();
    expect(received).toEqual([]);
    wait.isNeeded = false;
    served()?.resume();
    expect(received).toEqual(['one', 'two', 'three', '<end>']);
    expect(stream.consumedBytes).toBe(3 * 5 + 11);
  });

  it('waits also when its first byte arrives later than its size', () => {
    const { call, received, wait, allocated, served } = begun();
    const message = framed('later');
    wait.isNeeded = true;
    for (const byte of message.subarray(0, 7)) call.data(Buffer.from([byte]), false);
    wait.isNeeded = false;
    expect(allocated).toEqual([]);
    served()?.resume();
    expect(allocated).toEqual([5]);
    call.data(message.subarray(7), true);
    expect(received).toEqual(['later', '<end>']);
  });
});

describe('the window of a call', () => {
  it('is returned for the bytes after the message that ended the call', () => {
    const { stream, call, when, served } = begun();
    when(() => served()?.end());
    const view = Buffer.concat([framed('last'), framed('ignored')]);
    call.data(view, true);
    expect(stream.consumedBytes).toBe(view.length);
  });
});
