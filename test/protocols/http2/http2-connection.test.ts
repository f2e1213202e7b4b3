import { describe, expect, it } from 'vitest';
import { ERROR_CODE } from '../../../src/protocols/http2/error-codes.ts';
import { FLAG, FRAME, PREFACE } from '../../../src/protocols/http2/frame.ts';
import { encodeSettings, SETTING } from '../../../src/protocols/http2/settings.ts';
import { frame, Http2Peer, number, REQUEST, RecordingReceiver, settled } from '../../support/http2-peer.ts';

const started = (options: ConstructorParameters<typeof Http2Peer>[0] = {}) => new Http2Peer(options).begin();
const settings = (id: number, value: number) => frame(FRAME.settings, 0, encodeSettings([[id, value]]));
const data = (streamId: number, text: string, end = false) =>
  frame(FRAME.data, streamId, Buffer.from(text), end ? FLAG.endStream : 0);
const reset = (streamId: number) => frame(FRAME.rstStream, streamId, number(ERROR_CODE.cancel));
const ping = (flags = 0) => frame(FRAME.ping, 0, Buffer.from('12345678'), flags);
const answerPing = (peer: Http2Peer) => {
  const payload = peer.sentOf(FRAME.ping).findLast(({ flags }) => flags === 0)?.payload;
  return frame(FRAME.ping, 0, payload ?? Buffer.alloc(8), FLAG.ack);
};
const update = (streamId: number, bytes: number) => frame(FRAME.windowUpdate, streamId, number(bytes));
const block = Buffer.alloc(16_000, 0x82);
const NO_LIST = { headerListBytes: 2 ** 30 };

describe('an error in the connection ends it with GOAWAY:', () => {
  it.each([
    ['a first frame that is not SETTINGS', [PREFACE, ping()], 'protocolError'],
    [
      'an acknowledgement as first frame',
      [PREFACE, frame(FRAME.settings, 0, Buffer.alloc(0), FLAG.ack)],
      'protocolError',
    ],
    ['HTTP/1', [Buffer.from('GET / HTTP/1.1\r\n\r\n')], 'protocolError'],
    ['a ClientHello of TLS', [Buffer.from([0x16, 0x03, 0x01, 0, 0])], 'protocolError'],
    ['another preface', [Buffer.from('PRI * HTTP/3.0')], 'protocolError'],
  ] as const)('%s', async (_, bytes, code) => {
    const peer = new Http2Peer();
    await peer.send(...bytes);
    expect(peer.sentGoAway?.code).toBe(ERROR_CODE[code]);
    expect(peer.end).toMatchObject({ isPeerFault: true });
  });

  it.each([
    ['SETTINGS on a stream', () => [frame(FRAME.settings, 1)], 'protocolError'],
    ['SETTINGS of 5 bytes', () => [frame(FRAME.settings, 0, Buffer.alloc(5))], 'frameSizeError'],
    [
      'an acknowledgement with a payload',
      () => [frame(FRAME.settings, 0, Buffer.alloc(6), FLAG.ack)],
      'frameSizeError',
    ],
    [
      'an acknowledgement too many',
      () => [frame(FRAME.settings, 0, Buffer.alloc(0), FLAG.ack)],
      'protocolError',
    ],
    ['a window of 2^31', () => [settings(SETTING.initialWindowSize, 2 ** 31)], 'flowControlError'],
    ['a frame size of 16 KiB - 1', () => [settings(SETTING.maxFrameSize, 16_383)], 'protocolError'],
    ['a frame size of 16 MiB', () => [settings(SETTING.maxFrameSize, 2 ** 24)], 'protocolError'],
    ['the setting for PUSH_PROMISE 2', () => [settings(SETTING.enablePush, 2)], 'protocolError'],
    ['a PING on a stream', () => [frame(FRAME.ping, 1, Buffer.alloc(8))], 'protocolError'],
    ['a PING of 7 bytes', () => [frame(FRAME.ping, 0, Buffer.alloc(7))], 'frameSizeError'],
    ['a GOAWAY of 7 bytes', () => [frame(FRAME.goAway, 0, Buffer.alloc(7))], 'frameSizeError'],
    ['a GOAWAY on a stream', () => [frame(FRAME.goAway, 1, Buffer.alloc(8))], 'protocolError'],
    [
      'a PUSH_PROMISE',
      (peer: Http2Peer) => [peer.headers(1), frame(FRAME.pushPromise, 1, Buffer.alloc(4))],
      'protocolError',
    ],
    ['PRIORITY without a stream', () => [frame(FRAME.priority, 0, Buffer.alloc(5))], 'protocolError'],
    ['PRIORITY of 4 bytes', () => [frame(FRAME.priority, 1, Buffer.alloc(4))], 'frameSizeError'],
    ['RST_STREAM of 3 bytes', () => [frame(FRAME.rstStream, 1, Buffer.alloc(3))], 'frameSizeError'],
    ['RST_STREAM of an idle stream', () => [reset(7)], 'protocolError'],
    ['WINDOW_UPDATE of 3 bytes', () => [frame(FRAME.windowUpdate, 0, Buffer.alloc(3))], 'frameSizeError'],
    ['WINDOW_UPDATE of 0', () => [update(0, 0)], 'protocolError'],
    ['WINDOW_UPDATE of an idle stream', () => [update(5, 1)], 'protocolError'],
    ['a window of the connection above 2^31 - 1', () => [update(0, 2 ** 31 - 1)], 'flowControlError'],
    ['HEADERS on stream 0', (peer: Http2Peer) => [peer.headers(0)], 'protocolError'],
    ['HEADERS on an even stream', (peer: Http2Peer) => [peer.headers(2)], 'protocolError'],
    [
      'HEADERS with an invalid block',
      () => [frame(FRAME.headers, 1, Buffer.from([0x80]), FLAG.endHeaders)],
      'compressionError',
    ],
    [
      'HEADERS with too much padding',
      () => [frame(FRAME.headers, 1, Buffer.from([9, 0x82]), FLAG.endHeaders | FLAG.padded)],
      'protocolError',
    ],
    ['CONTINUATION without HEADERS', () => [frame(FRAME.continuation, 1, block)], 'protocolError'],
    [
      'another frame before the end of the headers',
      () => [frame(FRAME.headers, 1, Buffer.from([0x82])), ping()],
      'protocolError',
    ],
    [
      'an unknown frame before the end of the headers',
      () => [frame(FRAME.headers, 1, Buffer.from([0x82])), frame(77, 0)],
      'protocolError',
    ],
    [
      'DATA before the end of the headers',
      () => [frame(FRAME.headers, 1, Buffer.from([0x82])), data(1, 'x')],
      'protocolError',
    ],
    [
      'CONTINUATION of another stream',
      () => [frame(FRAME.headers, 1, Buffer.from([0x82])), frame(FRAME.continuation, 3, block)],
      'protocolError',
    ],
    ['DATA on an idle stream', () => [data(9, 'x')], 'protocolError'],
    ['DATA on stream 0', () => [data(0, 'x')], 'protocolError'],
    [
      'DATA above the window of the connection',
      (peer: Http2Peer) => [peer.headers(1), frame(FRAME.data, 1, Buffer.alloc(65_536))],
      'flowControlError',
    ],
    [
      'a stream with a smaller number than before',
      (peer: Http2Peer) => [peer.headers(5), peer.headers(3)],
      'streamClosed',
    ],
    [
      'a frame that is too large',
      () => [Buffer.from([0x00, 0x40, 0x01, FRAME.settings, 0, 0, 0, 0, 0])],
      'frameSizeError',
    ],
  ] as const)('%s', async (_, frames, code) => {
    const peer = await started();
    await peer.send(...frames(peer));
    expect(peer.sentGoAway).toMatchObject({ code: ERROR_CODE[code], reason: expect.stringMatching(/./) });
    expect(peer.end).toMatchObject({ code: ERROR_CODE[code], isPeerFault: true });
    expect(peer.output).toBe('ended');
    expect(peer.receivers.every(({ end }) => end?.kind === 'disconnected')).toBe(true);
    await peer.clock.advance(2_000);
    expect(peer.output).toBe('destroyed');
  });
});

describe('an error in a stream ends only the stream:', () => {
  it.each([
    ['DATA above its window', 'flowControlError', () => [frame(FRAME.data, 1, Buffer.alloc(101))]],
    ['DATA after its end', 'streamClosed', () => [data(1, '', true), data(1, 'x')]],
    ['a WINDOW_UPDATE of 0', 'protocolError', () => [update(1, 0)]],
    ['a window above 2^31 - 1', 'flowControlError', () => [update(1, 2 ** 31 - 1)]],
    ['trailers with a pseudo-header', 'protocolError', (peer: Http2Peer) => [peer.headers(1, REQUEST, true)]],
    ['second headers without the end', 'protocolError', (peer: Http2Peer) => [peer.headers(1, [['a', 'b']])]],
  ] as const)('%s', async (_, code, frames) => {
    const peer = await started({ streamWindowBytes: 100 });
    await peer.send(peer.headers(1), peer.headers(3));
    await peer.send(...frames(peer));
    expect(peer.sentOf(FRAME.rstStream, 1)[0]?.payload.readUInt32BE(0)).toBe(ERROR_CODE[code]);
    expect(peer.receivers[0]?.end).toMatchObject({ kind: 'cancelled', code: ERROR_CODE[code] });
    // The peer may have sent more before it knew.
    await peer.send(data(3, 'go on'), data(1, 'under way'));
    expect(Buffer.concat(peer.receivers[1]?.parts ?? []).toString()).toBe('go on');
    expect(peer.end).toBeUndefined();
  });

  it.each([
    ['no path', REQUEST.slice(0, 2)],
    ['an unknown pseudo-header', [...REQUEST, [':x', 'y']]],
    ['a pseudo-header twice', [...REQUEST, [':path', '/']]],
    ['a pseudo-header after others', [['a', 'b'], ...REQUEST]],
    ['a name in upper case', [...REQUEST, ['A', 'b']]],
    ['an empty name', [...REQUEST, ['', 'b']]],
    ['a name with a space', [...REQUEST, ['a b', 'b']]],
    ['a value with a line break', [...REQUEST, ['a', 'b\r\nc: d']]],
    ['a value with a zero byte', [...REQUEST, ['a', '\0']]],
    ['a header of the connection', [...REQUEST, ['connection', 'close']]],
    ['a wrong te', [...REQUEST, ['te', 'gzip']]],
  ] as const)('a request with %s', async (_, list) => {
    const peer = await started();
    await peer.send(peer.headers(1, list as typeof REQUEST));
    expect(peer.receivers).toEqual([]);
    expect(peer.sentOf(FRAME.rstStream, 1)[0]?.payload.readUInt32BE(0)).toBe(ERROR_CODE.protocolError);
    expect(peer.end).toBeUndefined();
  });
});

describe('a flood ends the connection:', () => {
  const many = (count: number, bytes: (at: number) => readonly Buffer[]) =>
    Array.from({ length: count }, (_, at) => bytes(at)).flat();

  it.each([
    [
      'of streams that are reset at once',
      (peer: Http2Peer) => many(600, (at) => [peer.headers(2 * at + 1), reset(2 * at + 1)]),
    ],
    ['of streams above the limit', (peer: Http2Peer) => many(700, (at) => [peer.headers(2 * at + 1)])],
    [
      'of faulty streams',
      (peer: Http2Peer) => many(600, (at) => [peer.headers(2 * at + 1), update(2 * at + 1, 0)]),
    ],
    ['of SETTINGS', () => many(600, () => [frame(FRAME.settings, 0)])],
    ['of PING', () => many(21_000, () => [ping()])],
    ['of answers to PING', () => many(21_000, () => [ping(FLAG.ack)])],
    ['of empty DATA', (peer: Http2Peer) => [peer.headers(1), ...many(600, () => [data(1, '')])]],
    ['of WINDOW_UPDATE of the connection', () => many(21_000, () => [update(0, 1)])],
    [
      'of WINDOW_UPDATE of an open stream',
      (peer: Http2Peer) => [peer.headers(1), ...many(21_000, () => [update(1, 1)])],
    ],
    [
      'of WINDOW_UPDATE of a closed stream',
      (peer: Http2Peer) => [peer.headers(1), reset(1), ...many(21_000, () => [update(1, 1)])],
    ],
    ['of PRIORITY', () => many(21_000, () => [frame(FRAME.priority, 1, Buffer.alloc(5))])],
    ['of unknown frames', () => many(21_000, () => [frame(99, 0)])],
    [
      'of GOAWAY',
      (peer: Http2Peer) => [peer.headers(1), ...many(600, () => [frame(FRAME.goAway, 0, Buffer.alloc(8))])],
    ],
    [
      'of empty CONTINUATION',
      () => [frame(FRAME.headers, 1), ...many(20, () => [frame(FRAME.continuation, 1)])],
    ],
    [
      'of long CONTINUATION',
      () => [frame(FRAME.headers, 1, block), ...many(20, () => [frame(FRAME.continuation, 1, block)])],
    ],
  ] as const)('%s', async (_, frames) => {
    const peer = await started({ concurrentStreams: 10 });
    const list = frames(peer);
    for (let at = 0; at < list.length; at += 1_000) await peer.send(...list.slice(at, at + 1_000));
    expect(peer.end).toMatchObject({ code: ERROR_CODE.enhanceYourCalm, isPeerFault: true });
  });

  it('of PING whose answers the peer does not read', async () => {
    const peer = await started();
    peer.isBlocked = true;
    for (let count = 0; count < 5_000 && peer.end === undefined; count++) await peer.send(ping());
    expect(peer.end).toMatchObject({ reason: 'the peer does not read its answers', isPeerFault: true });
    expect(peer.output).toBe('destroyed');
  });

  it('not of a WINDOW_UPDATE for each byte of data that is sent', async () => {
    const peer = await started();
    await peer.send(settings(SETTING.initialWindowSize, 1), peer.headers(1));
    peer.receivers[0]?.stream?.sendHeaders([[':status', '200']]);
    peer.receivers[0]?.stream?.sendData([Buffer.alloc(30_000)], { end: true });
    await settled();
    for (let count = 1; count < 30_000; count++) await peer.send(update(0, 1), update(1, 1));
    expect(peer.end).toBeUndefined();
    expect(peer.sentOf(FRAME.data, 1).at(-1)?.flags).toBe(FLAG.endStream);
  });

  it('not of as many frames in more time', async () => {
    const peer = await started();
    for (let count = 0; count < 2_000; count++) {
      await peer.send(frame(FRAME.settings, 0));
      await peer.clock.advance(25);
    }
    expect(peer.end).toBeUndefined();
  });
});

describe('flow control', () => {
  it('returns the rest of a DATA frame during which the stream was answered to the connection', async () => {
    const peer = await started();
    for (let id = 1; id < 20; id += 2) {
      const bytes = frame(FRAME.data, id, Buffer.alloc(30_000));
      await peer.send(peer.headers(id), bytes.subarray(0, 10_000));
      const receiver = peer.receivers.at(-1);
      receiver?.stream?.consumed(receiver.parts[0]?.length ?? 0);
      receiver?.stream?.sendHeaders([[':status', '200']], { end: true });
      await peer.send(bytes.subarray(10_000));
    }
    expect(peer.end).toBeUndefined();
  });

  it('does not let the peer send more before the data is consumed', async () => {
    const peer = await started({ streamWindowBytes: 1_000 });
    await peer.send(peer.headers(1), frame(FRAME.data, 1, Buffer.alloc(1_000)));
    expect(peer.sentOf(FRAME.windowUpdate)).toEqual([]);
    expect(peer.receivers[0]?.stream?.unconsumedBytes).toBe(1_000);
    peer.receivers[0]?.stream?.consumed(600);
    await settled();
    expect(peer.sentOf(FRAME.windowUpdate, 1).map(({ payload }) => payload.readUInt32BE(0))).toEqual([600]);
    // More than was received has no effect.
    peer.receivers[0]?.stream?.consumed(10_000);
    await settled();
    await peer.send(frame(FRAME.data, 1, Buffer.alloc(1_001)));
    expect(peer.receivers[0]?.end).toMatchObject({ code: ERROR_CODE.flowControlError });
  });

  it('returns the bytes of a stream that is reset, and of padding, to the connection', async () => {
    const peer = await started();
    for (let id = 1; id < 20; id += 2) {
      await peer.send(peer.headers(id), frame(FRAME.data, id, Buffer.alloc(30_000)));
      peer.receivers.at(-1)?.stream?.reset(ERROR_CODE.cancel);
      await peer.send(frame(FRAME.data, id, Buffer.alloc(20_000)));
    }
    await peer.send(peer.headers(21));
    for (let count = 0; count < 1_000; count++)
      await peer.send(
        frame(FRAME.data, 21, Buffer.concat([Buffer.from([255]), Buffer.alloc(255)]), FLAG.padded),
      );
    expect(peer.end).toBeUndefined();
    expect(peer.receivers.at(-1)?.stream?.unconsumedBytes).toBe(0);
  });

  it('sends no more than the windows of the peer permit, and continues after updates', async () => {
    const peer = await started();
    await peer.send(settings(SETTING.initialWindowSize, 10), peer.headers(1), peer.headers(3));
    const sent: string[] = [];
    for (const { stream } of peer.receivers) {
      stream?.sendHeaders([[':status', '200']]);
      stream?.sendData([Buffer.from('0123456789'), Buffer.from('abcde')], {
        end: true,
        onSent: () => sent.push(`stream ${stream.id}`),
      });
    }
    await settled();
    const text = (id: number) =>
      Buffer.concat(peer.sentOf(FRAME.data, id).map(({ payload }) => payload)).toString();
    expect([text(1), text(3)]).toEqual(['0123456789', '0123456789']);
    expect(peer.receivers[0]?.stream?.queuedBytes).toBe(5);
    await peer.send(update(3, 3));
    expect([text(1), text(3)]).toEqual(['0123456789', '0123456789abc']);
    expect(sent).toEqual([]);
    // A larger initial window counts for open streams too.
    await peer.send(settings(SETTING.initialWindowSize, 12));
    expect([text(1), text(3)]).toEqual(['0123456789ab', '0123456789abcde']);
    await peer.send(update(1, 100));
    expect(text(1)).toBe('0123456789abcde');
    expect(sent).toEqual(['stream 3', 'stream 1']);
    expect(peer.sentOf(FRAME.data, 1).at(-1)?.flags).toBe(FLAG.endStream);
  });

  it('permits the old window until the peer acknowledges the new one', async () => {
    const peer = await started({ streamWindowBytes: 1_000 });
    await peer.send(peer.headers(1));
    peer.connection.setWindows(100, 65_535);
    await settled();
    await peer.send(frame(FRAME.data, 1, Buffer.alloc(900)));
    expect(peer.receivers[0]?.end).toBeUndefined();
    await peer.send(frame(FRAME.settings, 0, Buffer.alloc(0), FLAG.ack));
    await peer.send(peer.headers(3), frame(FRAME.data, 3, Buffer.alloc(101)));
    expect(peer.receivers[1]?.end).toMatchObject({ code: ERROR_CODE.flowControlError });
  });

  it('lets the peer continue after a window that became smaller than what it had sent', async () => {
    const ACKNOWLEDGED = frame(FRAME.settings, 0, Buffer.alloc(0), FLAG.ack);
    const peer = new Http2Peer({ streamWindowBytes: 100 });
    const granted = () =>
      peer.sentOf(FRAME.windowUpdate, 1).reduce((sum, { payload }) => sum + payload.readUInt32BE(0), 0);
    // Before the first settings of this side, the window of the peer is 65,535.
    await peer.send(
      PREFACE,
      frame(FRAME.settings, 0),
      peer.headers(1),
      frame(FRAME.data, 1, Buffer.alloc(750)),
    );
    peer.receivers[0]?.stream?.consumed(750);
    await peer.send(ACKNOWLEDGED);
    expect(100 - 750 + granted()).toBe(100);
    peer.connection.setWindows(10_000, 65_535);
    await settled();
    await peer.send(ACKNOWLEDGED, frame(FRAME.data, 1, Buffer.alloc(4_000)));
    peer.connection.setWindows(100, 65_535);
    await settled();
    peer.receivers[0]?.stream?.consumed(4_000);
    await peer.send(ACKNOWLEDGED);
    expect(100 - 750 - 4_000 + granted()).toBe(100);
  });

  it('grants no more than the window when it changes again before the peer has acknowledged it', async () => {
    const ACKNOWLEDGED = frame(FRAME.settings, 0, Buffer.alloc(0), FLAG.ack);
    const peer = await started({ streamWindowBytes: 1_000 });
    await peer.send(peer.headers(1));
    peer.connection.setWindows(500, 65_535);
    peer.connection.setWindows(2_000, 65_535);
    await peer.send(frame(FRAME.data, 1, Buffer.alloc(1_000)));
    peer.receivers[0]?.stream?.consumed(1_000);
    await peer.send(ACKNOWLEDGED, ACKNOWLEDGED);
    const granted = peer.sentOf(FRAME.windowUpdate, 1).map(({ payload }) => payload.readUInt32BE(0));
    const windows = peer
      .sentOf(FRAME.settings)
      .filter(({ flags, payload }) => flags === 0 && payload.length > 0);
    expect(windows.map(({ payload }) => payload.readUInt32BE(2))).toEqual([1_000, 500, 2_000]);
    // The peer has the last window, without what it has sent, and the updates.
    const available = 2_000 - 1_000 + granted.reduce((sum, bytes) => sum + bytes, 0);
    expect(available).toBeGreaterThan(0);
    expect(available).toBeLessThanOrEqual(2_000);
  });

  it('does not copy data, and reports it only when it is written', async () => {
    const written: Uint8Array[] = [];
    const peer = await started();
    peer.onParts = (parts) => written.push(...parts);
    await peer.send(peer.headers(1));
    const bytes = Buffer.from('not copied');
    peer.isBlocked = true;
    let sent = 0;
    peer.receivers[0]?.stream?.sendData([bytes], { onSent: () => sent++ });
    await settled();
    expect(sent).toBe(0);
    expect(peer.receivers[0]?.stream?.queuedBytes).toBe(bytes.length);
    await peer.unblock();
    expect(sent).toBe(1);
    expect(written.some((part) => part.buffer === bytes.buffer && part.byteOffset === bytes.byteOffset)).toBe(
      true,
    );
    expect(peer.receivers[0]?.stream?.queuedBytes).toBe(0);
  });
});

describe('a client', () => {
  const client = async (options: ConstructorParameters<typeof Http2Peer>[0] = {}) => {
    const peer = new Http2Peer({ role: 'client', ...options });
    await peer.send(frame(FRAME.settings, 0), frame(FRAME.settings, 0, Buffer.alloc(0), FLAG.ack));
    return peer;
  };

  it('passes headers, data and trailers on, without informational headers', async () => {
    const peer = await client();
    const receiver = new RecordingReceiver();
    const stream = peer.connection.open(REQUEST, receiver, { end: true });
    await settled();
    expect(stream?.id).toBe(1);
    await peer.send(
      peer.headers(1, [[':status', '103']]),
      peer.headers(1, [[':status', '200']]),
      data(1, 'answer'),
      peer.headers(1, [['grpc-status', '0']], true),
    );
    expect(receiver.lists).toEqual([[[':status', '200']], [['grpc-status', '0']]]);
    expect(Buffer.concat(receiver.parts).toString()).toBe('answer');
    expect(receiver.end).toEqual({ kind: 'complete' });
    expect(peer.connection.openStreams).toBe(0);
  });

  it('reports an answer of HTTP/1 and of TLS', async () => {
    for (const [bytes, reason] of [
      ['HTTP/1.1 400 Bad Request\r\n', 'HTTP/1'],
      ['\x15\x03\x01\x00\x02\x02\x46', 'TLS'],
    ] as const) {
      const peer = new Http2Peer({ role: 'client' });
      await peer.send(Buffer.from(bytes, 'latin1'));
      expect(peer.end?.reason).toBe(`the peer does not speak HTTP/2: it sent ${reason}`);
      expect(peer.isReady).toBe(false);
    }
  });

  it('opens no more streams than the server permits', async () => {
    const peer = await client();
    await peer.send(settings(SETTING.maxConcurrentStreams, 1));
    expect(peer.connection.open(REQUEST, new RecordingReceiver())).toBeDefined();
    expect(peer.connection.open(REQUEST, new RecordingReceiver())).toBeUndefined();
  });

  it('repeats nothing after GOAWAY, but knows which streams were not processed', async () => {
    const peer = await client();
    const receivers = [new RecordingReceiver(), new RecordingReceiver()];
    for (const receiver of receivers) peer.connection.open(REQUEST, receiver);
    await settled();
    await peer.send(frame(FRAME.goAway, 0, Buffer.concat([number(1), number(11), Buffer.from('calm\n')])));
    expect(receivers.map(({ end }) => end)).toEqual([
      undefined,
      { kind: 'unprocessed', reason: 'ENHANCE_YOUR_CALM: calm?' },
    ]);
    expect(peer.connection.open(REQUEST, new RecordingReceiver())).toBeUndefined();
    await peer.send(reset(1));
    expect(receivers[0]?.end).toEqual({ kind: 'reset', code: ERROR_CODE.cancel });
    expect(peer.output).toBe('ended');
  });

  it('refuses PUSH_PROMISE and streams of the server', async () => {
    for (const bytes of [
      frame(FRAME.pushPromise, 1, Buffer.alloc(8)),
      frame(FRAME.headers, 2, Buffer.from([0x88]), FLAG.endHeaders),
    ]) {
      const peer = await client();
      peer.connection.open(REQUEST, new RecordingReceiver());
      await peer.send(bytes);
      expect(peer.sentGoAway?.code).toBe(ERROR_CODE.protocolError);
    }
  });

  it('sends PING only while it has a stream and receives nothing, and ends without an answer', async () => {
    const peer = await client({ keepalive: { intervalMs: 10_000, timeoutMs: 5_000 } });
    await peer.clock.advance(60_000);
    await settled();
    expect(peer.sentOf(FRAME.ping)).toEqual([]);
    const receiver = new RecordingReceiver();
    peer.connection.open(REQUEST, receiver);
    await peer.clock.advance(10_000);
    await settled();
    expect(peer.sentOf(FRAME.ping)).toHaveLength(1);
    await peer.clock.advance(1_000);
    await peer.send(answerPing(peer));
    await peer.clock.advance(4_000);
    expect(peer.end).toBeUndefined();
    await peer.clock.advance(20_000);
    expect(peer.end?.reason).toBe('no answer to a PING within 5 s');
    expect(receiver.end).toMatchObject({ kind: 'disconnected' });
    expect(peer.output).toBe('destroyed');
  });
});

describe('the keepalive ends a peer that never answers a PING', () => {
  const KEEPALIVE = { intervalMs: 10_000, timeoutMs: 5_000 };
  const NO_ANSWER = 'no answer to a PING within 5 s';

  it.each<[string, Buffer]>([
    ['PING', ping()],
    ['answers to PING that it did not get', ping(FLAG.ack)],
    ['WINDOW_UPDATE of the connection', update(0, 1)],
    ['WINDOW_UPDATE of a stream', update(1, 1)],
    ['SETTINGS', frame(FRAME.settings, 0)],
    ['PRIORITY', frame(FRAME.priority, 1, Buffer.alloc(5))],
    ['unknown frames', frame(99, 0)],
    ['empty DATA', frame(FRAME.data, 1)],
  ])('and sends %s without end', async (_, bytes) => {
    const peer = await started({ keepalive: KEEPALIVE });
    await peer.send(peer.headers(1));
    for (let second = 0; second < 70 && peer.end === undefined; second++) {
      await peer.clock.advance(1_000);
      await peer.send(bytes);
    }
    expect(peer.end?.reason).toBe(NO_ANSWER);
  });

  it('but not one that answers, or sends data', async () => {
    const peer = await started({ keepalive: KEEPALIVE });
    await peer.send(peer.headers(1));
    for (let second = 0; second < 100; second++) {
      await peer.clock.advance(1_000);
      await peer.send(data(1, 'x'));
    }
    expect(peer.sentOf(FRAME.ping)).toEqual([]);
    let answered = 0;
    for (let second = 0; second < 200; second++) {
      await peer.clock.advance(1_000);
      await peer.send(ping());
      if (peer.sentOf(FRAME.ping).filter(({ flags }) => flags === 0).length === answered) continue;
      answered++;
      await peer.send(answerPing(peer));
    }
    expect(answered).toBeGreaterThanOrEqual(2);
    expect(peer.end).toBeUndefined();
  });

  it('but not one that reads a long upload slowly, while the PING waits after the data', async () => {
    const peer = await started({ keepalive: KEEPALIVE });
    await peer.send(peer.headers(1));
    peer.receivers[0]?.stream?.sendHeaders([[':status', '200']]);
    peer.receivers[0]?.stream?.sendData([Buffer.alloc(10_000_000)]);
    for (let second = 0; second < 200; second++) {
      await peer.clock.advance(1_000);
      if (second % 12 === 0) await peer.send(update(0, 1_000), update(1, 1_000));
    }
    expect(peer.sentOf(FRAME.ping).length).toBeGreaterThan(0);
    expect(peer.end).toBeUndefined();
  });
});

describe('a server', () => {
  it('ends a peer that does not acknowledge its settings', async () => {
    const peer = new Http2Peer();
    await peer.send(PREFACE, frame(FRAME.settings, 0));
    await peer.clock.advance(20_000);
    await settled();
    expect(peer.sentGoAway?.code).toBe(ERROR_CODE.settingsTimeout);
  });

  it('discards the rest of a request after its response', async () => {
    const peer = await started();
    await peer.send(peer.headers(1));
    peer.receivers[0]?.stream?.sendHeaders([[':status', '200']], { end: true });
    await settled();
    expect(peer.sentOf(FRAME.rstStream, 1)[0]?.payload.readUInt32BE(0)).toBe(ERROR_CODE.noError);
    expect(peer.receivers[0]?.end).toEqual({ kind: 'complete' });
    await peer.send(data(1, 'late', true));
    expect(peer.end).toBeUndefined();
  });

  it('writes the last frames before it closes a connection that is drained', async () => {
    const peer = await started();
    await peer.send(peer.headers(1, REQUEST, true));
    peer.connection.goAway();
    peer.receivers[0]?.stream?.sendHeaders([[':status', '200']]);
    peer.receivers[0]?.stream?.sendData([Buffer.from('last')], { end: true });
    await settled();
    expect(peer.frames.slice(-3).map(({ type }) => type)).toEqual([FRAME.goAway, FRAME.headers, FRAME.data]);
    expect(peer.output).toBe('ended');
    expect(peer.end).toMatchObject({ isPeerFault: false });
  });

  it('refuses new streams while it is drained', async () => {
    const peer = await started();
    await peer.send(peer.headers(1));
    peer.connection.goAway();
    await peer.send(peer.headers(3));
    expect(peer.sentOf(FRAME.rstStream, 3)[0]?.payload.readUInt32BE(0)).toBe(ERROR_CODE.refusedStream);
    expect(peer.end).toBeUndefined();
  });

  it('reads headers with padding and priority, and over several frames', async () => {
    const peer = await started(NO_LIST);
    const whole = peer.headers(1).subarray(9);
    const padded = Buffer.concat([Buffer.from([3]), Buffer.alloc(5), whole.subarray(0, 2), Buffer.alloc(3)]);
    await peer.send(
      frame(FRAME.headers, 1, padded, FLAG.padded | FLAG.priority),
      frame(FRAME.continuation, 1, whole.subarray(2), FLAG.endHeaders),
    );
    expect(peer.receivers[0]?.lists).toEqual([REQUEST]);
  });

  it('divides headers that are longer than a frame', async () => {
    const peer = await started();
    await peer.send(peer.headers(1));
    peer.receivers[0]?.stream?.sendHeaders(
      [
        [':status', '200'],
        ['x', 'y'.repeat(40_000)],
      ],
      { end: true },
    );
    await settled();
    const types = peer.frames.filter(({ streamId, type }) => streamId === 1 && type !== FRAME.rstStream);
    expect(types.map(({ type, flags }) => [type, flags])).toEqual([
      [FRAME.headers, FLAG.endStream],
      [FRAME.continuation, 0],
      [FRAME.continuation, FLAG.endHeaders],
    ]);
  });
});
