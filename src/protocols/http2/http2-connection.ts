import { ConnectionStream } from './connection-stream.ts';
import { ERROR_CODE, errorName } from './error-codes.ts';
import { FloodGuard } from './flood-guard.ts';
import {
  encodeFrame,
  encodeNumberFrame,
  FLAG,
  FRAME,
  type FrameHeader,
  MAX_FRAME_BYTES,
  PREFACE,
} from './frame.ts';
import { FrameReader } from './frame-reader.ts';
import { FrameSender } from './frame-sender.ts';
import { HeaderBlock, headerFragment } from './header-block.ts';
import { headerFault } from './header-fault.ts';
import { type HeaderList, headerOf } from './header-list.ts';
import { HpackDecoder } from './hpack-decoder.ts';
import { Http2Error } from './http2-error.ts';
import type { ConnectionEnd, Http2ConnectionOptions } from './http2-options.ts';
import type { Http2Stream } from './http2-stream.ts';
import { Keepalive } from './keepalive.ts';
import { LocalSettings } from './local-settings.ts';
import { PrefaceCheck } from './preface-check.ts';
import { ReceiveWindow } from './receive-window.ts';
import { DEFAULT_WINDOW_BYTES, decodeSettings, MAX_WINDOW_BYTES, SETTING } from './settings.ts';
import type { StreamEnd, StreamReceiver } from './stream-receiver.ts';

/**
 * One HTTP/2 connection (RFC 9113), as client or server, without a socket: bytes come in by `receive`, and leave by
 * `output`. `src/transport/http2` connects it with sockets.
 *
 *     socket -> receive(view) -> FrameReader -> HEADERS -> HpackDecoder -> receiver.headers
 *                                           -> DATA views, not copied  -> receiver.data   (consumed -> WINDOW_UPDATE)
 *     sendData(parts) -> queue of the stream -> windows -> frames -> output.write(parts)  (written -> onSent)
 *
 * LIMITS. Everything that a peer can make this side hold is limited:
 *
 *   - DATA is never held here. A receiver that holds it does not call `consumed`, so the windows are the limit.
 *   - Other frames have at most 16 KiB. The headers of one message have at most `headerListBytes`.
 *   - The dynamic table of HPACK has at most 4 KiB.
 *   - Streams: `concurrentStreams`; more are refused.
 *   - Answers that the peer does not read (SETTINGS, PING, RST_STREAM, headers): 64 KiB, then the connection ends.
 *   - Frames without use (resets, empty DATA, SETTINGS, PING, window updates without data, unknown frames): a number per
 *     second, then it ends.
 *
 * ERRORS. An error of the peer in one stream ends the stream with RST_STREAM; an error in the connection ends all with
 * GOAWAY and its code. `receive` never throws.
 */
export class Http2Connection {
  readonly #options: Http2ConnectionOptions;
  readonly #isServer: boolean;
  readonly #reader: FrameReader;
  readonly #sender: FrameSender;
  readonly #decoder: HpackDecoder;
  readonly #guard: FloodGuard;
  readonly #keepalive: Keepalive | undefined;
  readonly #local: LocalSettings;
  readonly #preface: PrefaceCheck;
  readonly #window: ReceiveWindow;
  readonly #streams = new Map<number, ConnectionStream>();
  /** Streams that this side has reset: frames of the peer may be under way. The oldest first. */
  readonly #resetIds = new Set<number>();
  /** The next stream of a client. */
  #nextId = 1;
  /** The newest stream of the peer. */
  #lastPeerId = 0;
  #peerWindow = DEFAULT_WINDOW_BYTES;
  #peerStreams = ASSUMED_STREAMS;
  #block: HeaderBlock | undefined;
  /** The stream of the current DATA frame; undefined: its data is discarded. */
  #dataStream: ConnectionStream | undefined;
  #dataEnds = false;
  /** The bytes of the current DATA frame that were not received, with its padding. */
  #dataBytes = 0;
  /** Something in the current chunk proves that the peer is alive. */
  #hasProof = false;
  /** Of the data that was sent, the bytes at the last WINDOW_UPDATE. */
  #updatedAtBytes = 0;
  #hasSettings = false;
  #isDraining = false;
  #hasEnded = false;

  constructor(options: Http2ConnectionOptions) {
    const { role, output, clock, keepalive, connectionWindowBytes } = options;
    const frameBytes = options.frameBytes ?? MAX_FRAME_BYTES;
    this.#options = options;
    this.#isServer = role === 'server';
    this.#guard = new FloodGuard(clock);
    this.#decoder = new HpackDecoder(options.headerListBytes ?? HEADER_LIST_BYTES);
    this.#reader = new FrameReader(this.#frameHandler(), frameBytes);
    this.#preface = new PrefaceCheck(role);
    this.#sender = new FrameSender({
      output,
      onEnded: (stream) => this.#sentEnd(stream),
    });
    if (!this.#isServer) this.#sender.control(PREFACE);
    this.#local = new LocalSettings({
      clock,
      send: (payload) => this.#control({ type: FRAME.settings, flags: 0, streamId: 0 }, payload),
      timedOut: () => this.#fail(ERROR_CODE.settingsTimeout, 'the peer does not acknowledge the settings'),
    });
    this.#local.begin(options.streamWindowBytes, this.#initialSettings(frameBytes));
    this.#window = new ReceiveWindow(connectionWindowBytes, DEFAULT_WINDOW_BYTES);
    this.#update(0, this.#window.grant(1));
    this.#keepalive =
      keepalive &&
      new Keepalive({
        ...keepalive,
        clock,
        isNeeded: () => keepalive.withoutStreams === true || this.#streams.size > 0,
        ping: (payload) => this.#control({ type: FRAME.ping, flags: 0, streamId: 0 }, payload),
        timedOut: (reason) => this.#end({ reason, isPeerFault: false }, 'destroy'),
      });
  }

  /** Number of streams that are not over. */
  get openStreams(): number {
    return this.#streams.size;
  }

  /** What the peer may send on a stream: the older, larger window until it has acknowledged a smaller one. */
  get permittedStreamBytes(): number {
    return this.#local.streamWindow.available;
  }

  /** No new streams: a GOAWAY was sent or received, or the connection has ended. */
  get isDraining(): boolean {
    return this.#isDraining || this.#hasEnded;
  }

  /** Bytes of the peer. The memory is not used after the call. */
  receive(chunk: Uint8Array): void {
    if (this.#hasEnded) return;
    this.#hasProof = false;
    try {
      const bytes = Buffer.isBuffer(chunk)
        ? chunk
        : Buffer.from(chunk.buffer, chunk.byteOffset, chunk.length);
      const frames = this.#preface.check(bytes);
      if (frames.length > 0) this.#reader.read(frames);
    } catch (error) {
      if (!(error instanceof Http2Error)) throw error;
      this.#fail(error.code, error.message);
    }
    this.#keepalive?.received(this.#hasProof);
  }

  /** The transport has ended: the peer closed it, or it failed for this reason. */
  disconnected(reason: string): void {
    const when = this.#hasSettings ? '' : ', before the peer sent HTTP/2';
    this.#end({ reason: `${reason}${when}`, isPeerFault: false }, 'destroy');
  }

  /**
   * Only for a client: opens a stream and sends its headers. undefined: the connection is draining, or the peer permits
   * no more streams now.
   */
  open(
    headers: HeaderList,
    receiver: StreamReceiver,
    { end = false }: { readonly end?: boolean | undefined } = {},
  ): Http2Stream | undefined {
    if (this.isDraining || this.#streams.size >= this.#peerStreams || this.#nextId > MAX_STREAM_ID)
      return undefined;
    const stream = this.#addStream(this.#nextId);
    this.#nextId += 2;
    stream.receiver = receiver;
    stream.sendHeaders(headers, { end });
    return stream;
  }

  /** Changes the windows of `Http2ConnectionOptions`, also for open streams. */
  setWindows(streamBytes: number, connectionBytes: number): void {
    if (this.#hasEnded) return;
    this.#shiftWindows(this.#local.resize(streamBytes));
    this.#window.aim(connectionBytes);
    this.#update(0, this.#window.grant(1));
  }

  /** Accepts no new streams (GOAWAY). The connection closes when all streams are over. */
  goAway(): void {
    if (this.isDraining) return;
    this.#isDraining = true;
    this.#sendGoAway(ERROR_CODE.noError, '');
    this.#closeIfDrained();
  }

  /** Ends the connection at once; `code`: sent in a GOAWAY. */
  destroy(reason: string, code: number = ERROR_CODE.noError): void {
    this.#sendGoAway(code, code === ERROR_CODE.noError ? '' : reason);
    this.#end({ reason, code, isPeerFault: false }, 'close');
  }

  #initialSettings(frameBytes: number): readonly (readonly [number, number])[] {
    const { concurrentStreams = DEFAULT_STREAMS, headerListBytes = HEADER_LIST_BYTES } = this.#options;
    return [
      this.#isServer ? [SETTING.maxConcurrentStreams, concurrentStreams] : [SETTING.enablePush, 0],
      [SETTING.maxFrameSize, frameBytes],
      [SETTING.maxHeaderListSize, headerListBytes],
    ];
  }

  #frameHandler() {
    return {
      frame: (header: FrameHeader, payload: Buffer) => this.#receiveFrame(header, payload),
      unknownFrame: () => {
        this.#checkOrder(UNKNOWN_FRAME);
        this.#guard.cheap('unknown frames');
      },
      dataFrame: (header: FrameHeader, length: number) => this.#beginData(header, length),
      data: (view: Buffer, isLast: boolean) => this.#receiveData(view, isLast),
    };
  }

  #receiveFrame(header: FrameHeader, payload: Buffer): void {
    this.#checkOrder(header);
    const { type } = header;
    if (type === FRAME.headers) this.#receiveHeaders(header, payload);
    else if (type === FRAME.continuation) this.#receiveContinuation(header, payload);
    else if (type === FRAME.settings) this.#receiveSettings(header, payload);
    else if (type === FRAME.windowUpdate) this.#receiveWindowUpdate(header, payload);
    else if (type === FRAME.ping) this.#receivePing(header, payload);
    else if (type === FRAME.rstStream) this.#receiveReset(header, payload);
    else if (type === FRAME.goAway) this.#receiveGoAway(header, payload);
    else if (type === FRAME.priority) this.#receivePriority(header, payload);
    else throw broken('a PUSH_PROMISE frame, which this side does not permit');
  }

  #checkOrder({ type, flags, streamId }: FrameHeader): void {
    if (!this.#hasSettings && (type !== FRAME.settings || (flags & FLAG.ack) !== 0))
      throw broken('a frame before its settings');
    const { streamId: open } = this.#block ?? {};
    if (open !== undefined && (type !== FRAME.continuation || streamId !== open))
      throw broken('a frame inside of a header block');
  }

  #receiveHeaders(header: FrameHeader, payload: Buffer): void {
    const { streamId } = header;
    if (streamId % 2 === 0) throw broken(`HEADERS on the stream ${streamId}`);
    this.#hasProof = true;
    const block = new HeaderBlock(header, this.#options.headerListBytes ?? HEADER_LIST_BYTES);
    const fragment = headerFragment(header, payload);
    if ((header.flags & FLAG.endHeaders) !== 0) {
      this.#receiveList(streamId, this.#decoder.decode(fragment), block.end);
      return;
    }
    block.add(fragment);
    this.#block = block;
  }

  #receiveContinuation({ flags }: FrameHeader, payload: Buffer): void {
    const block = this.#block;
    if (block === undefined) throw broken('a CONTINUATION frame without HEADERS');
    block.add(payload);
    if ((flags & FLAG.endHeaders) === 0) return;
    this.#block = undefined;
    this.#receiveList(block.streamId, this.#decoder.decode(block.bytes), block.end);
  }

  #receiveList(streamId: number, list: HeaderList, end: boolean): void {
    const stream = this.#streams.get(streamId);
    if (stream !== undefined) this.#passHeaders(stream, list, end);
    else if (this.#isServer && streamId > this.#lastPeerId) this.#accept(streamId, list, end);
    else this.#checkClosed(streamId, 'HEADERS');
  }

  #accept(id: number, list: HeaderList, end: boolean): void {
    this.#lastPeerId = id;
    const { onStream, concurrentStreams = DEFAULT_STREAMS } = this.#options;
    if (this.isDraining || onStream === undefined || this.#streams.size >= concurrentStreams) {
      this.#guard.costly('calls above the limit');
      this.#sendReset(id, ERROR_CODE.refusedStream);
      return;
    }
    const stream = this.#addStream(id);
    const fault = headerFault(list, 'request');
    if (fault !== undefined) {
      this.#resetForFault(stream, ERROR_CODE.protocolError, fault);
      return;
    }
    stream.hasHeaders = true;
    stream.peerHasEnded = end;
    const receiver = onStream(stream, list);
    stream.receiver = receiver;
    if (stream.end !== undefined) receiver.closed(stream.end);
    else this.#deliverHeaders(stream, list, end);
  }

  #passHeaders(stream: ConnectionStream, list: HeaderList, end: boolean): void {
    if (stream.peerHasEnded) {
      this.#resetForFault(stream, ERROR_CODE.streamClosed, 'HEADERS after the end of the stream');
      return;
    }
    const isTrailers = stream.hasHeaders;
    const fault = headerFault(list, isTrailers ? 'trailers' : 'response');
    const isInformational = !isTrailers && headerOf(list, ':status')?.startsWith('1') === true;
    if (fault !== undefined || (isTrailers && !end) || (isInformational && end)) {
      this.#resetForFault(stream, ERROR_CODE.protocolError, fault ?? 'headers at the wrong place');
      return;
    }
    if (isInformational) {
      this.#guard.costly('informational headers');
      return;
    }
    stream.hasHeaders = true;
    stream.peerHasEnded = end;
    this.#deliverHeaders(stream, list, end);
  }

  #deliverHeaders(stream: ConnectionStream, list: HeaderList, end: boolean): void {
    stream.receiver?.headers(list, end);
    if (end) this.#closeIfComplete(stream);
  }

  #beginData(header: FrameHeader, length: number): void {
    this.#checkOrder(header);
    const { streamId, flags } = header;
    if (!this.#window.receive(length)) throw windowFault('the connection');
    const stream = this.#streams.get(streamId);
    this.#dataStream = undefined;
    this.#dataEnds = (flags & FLAG.endStream) !== 0;
    this.#dataBytes = length;
    if (length === 0 && !this.#dataEnds) this.#guard.costly('empty DATA frames');
    if (stream === undefined) this.#checkClosed(streamId, 'DATA');
    else if (!stream.hasHeaders || stream.peerHasEnded)
      this.#resetForFault(stream, ERROR_CODE.streamClosed, 'DATA at the wrong place');
    else if (!stream.receiveWindow.receive(length))
      this.#resetForFault(stream, ERROR_CODE.flowControlError, 'more data than its window permits');
    else this.#dataStream = stream;
    if (this.#dataStream === undefined) this.#consumedOnConnection(length);
  }

  #receiveData(view: Buffer, isLast: boolean): void {
    const stream = this.#dataStream;
    if (stream === undefined || stream.isClosed) return;
    this.#dataBytes -= view.length;
    if (view.length > 0) this.#hasProof = true;
    const end = isLast && this.#dataEnds;
    stream.peerHasEnded = end;
    if (view.length > 0 || end) stream.receiver?.data(view, end);
    // The rest is padding.
    if (isLast && this.#dataBytes > 0) this.#consumed(stream, this.#dataBytes);
    if (end) this.#closeIfComplete(stream);
  }

  #receiveSettings({ flags, streamId }: FrameHeader, payload: Buffer): void {
    if (streamId !== 0) throw broken('SETTINGS on a stream');
    if ((flags & FLAG.ack) !== 0) {
      if (payload.length > 0) throw wrongSize('SETTINGS');
      this.#settingsAcknowledged();
      return;
    }
    this.#guard.costly('SETTINGS frames');
    for (const [id, value] of decodeSettings(payload)) this.#applySetting(id, value);
    this.#control({ type: FRAME.settings, flags: FLAG.ack, streamId: 0 });
    this.#sender.resume();
    if (this.#hasSettings) return;
    this.#hasSettings = true;
    this.#options.onReady?.();
  }

  #settingsAcknowledged(): void {
    this.#shiftWindows(this.#local.acknowledged());
    this.#options.onSettingsAcknowledged?.();
  }

  #shiftWindows(bytes: number): void {
    const { target } = this.#local.streamWindow;
    for (const stream of this.#streams.values()) {
      stream.receiveWindow.aim(target);
      stream.receiveWindow.shift(bytes);
      // The peer may have no window left, while nothing that it has sent waits to be consumed.
      if (!stream.peerHasEnded) this.#update(stream.id, stream.receiveWindow.grant());
    }
  }

  #applySetting(id: number, value: number): void {
    if (id === SETTING.maxFrameSize) this.#sender.maxFrameBytes = value;
    else if (id === SETTING.maxConcurrentStreams) this.#peerStreams = value;
    else if (id === SETTING.initialWindowSize) this.#resizeSendWindows(value);
    else if (id === SETTING.enablePush && value === 1 && !this.#isServer)
      throw broken('a setting that only a client may send');
  }

  #resizeSendWindows(bytes: number): void {
    const change = bytes - this.#peerWindow;
    this.#peerWindow = bytes;
    for (const stream of this.#streams.values()) {
      stream.sendWindow += change;
      if (stream.sendWindow > MAX_WINDOW_BYTES) throw windowFault(`the stream ${stream.id}`);
      if (change > 0) this.#sender.ready(stream);
    }
  }

  #receiveWindowUpdate({ streamId }: FrameHeader, payload: Buffer): void {
    if (payload.length !== 4) throw wrongSize('WINDOW_UPDATE');
    this.#checkUpdates();
    const increment = payload.readUInt32BE(0) & 0x7fffffff;
    if (streamId === 0) this.#growWindow(increment);
    else this.#growStreamWindow(streamId, increment);
  }

  /** A peer may update two windows for each frame of data, and while it reads a large one. */
  #checkUpdates(): void {
    const { sentDataBytes, sentDataFrames } = this.#sender;
    this.#guard.windowUpdate(sentDataFrames * UPDATES_PER_FRAME + sentDataBytes / BYTES_PER_UPDATE);
    if (sentDataBytes > this.#updatedAtBytes) this.#hasProof = true;
    this.#updatedAtBytes = sentDataBytes;
  }

  #growWindow(increment: number): void {
    if (increment === 0) throw broken('a WINDOW_UPDATE of 0');
    this.#sender.window += increment;
    if (this.#sender.window > MAX_WINDOW_BYTES) throw windowFault('the connection');
    for (const stream of this.#streams.values()) {
      if (stream.queue.first !== undefined) this.#sender.ready(stream);
    }
  }

  #growStreamWindow(streamId: number, increment: number): void {
    const stream = this.#streams.get(streamId);
    if (stream === undefined) {
      this.#checkNotIdle(streamId, 'WINDOW_UPDATE');
      this.#guard.cheap('frames of closed streams');
      return;
    }
    stream.sendWindow += increment;
    if (increment === 0) this.#resetForFault(stream, ERROR_CODE.protocolError, 'a WINDOW_UPDATE of 0');
    else if (stream.sendWindow > MAX_WINDOW_BYTES)
      this.#resetForFault(stream, ERROR_CODE.flowControlError, 'a window that is too large');
    else this.#sender.ready(stream);
  }

  #receivePing({ flags, streamId }: FrameHeader, payload: Buffer): void {
    if (streamId !== 0) throw broken('a PING on a stream');
    if (payload.length !== 8) throw wrongSize('PING');
    this.#guard.cheap('PING frames');
    if ((flags & FLAG.ack) !== 0) this.#keepalive?.answered(payload);
    else this.#control({ type: FRAME.ping, flags: FLAG.ack, streamId: 0 }, Buffer.from(payload));
  }

  #receiveReset({ streamId }: FrameHeader, payload: Buffer): void {
    if (payload.length !== 4) throw wrongSize('RST_STREAM');
    this.#checkNotIdle(streamId, 'RST_STREAM');
    this.#guard.costly('streams that are reset');
    const stream = this.#streams.get(streamId);
    if (stream === undefined) return;
    const code = payload.readUInt32BE(0);
    const isComplete = stream.peerHasEnded && code === ERROR_CODE.noError;
    this.#close(stream, isComplete ? COMPLETE : { kind: 'reset', code });
  }

  #receivePriority({ streamId }: FrameHeader, payload: Buffer): void {
    if (streamId === 0) throw broken('PRIORITY without a stream');
    if (payload.length !== 5) throw wrongSize('PRIORITY');
    this.#guard.cheap('PRIORITY frames');
  }

  #receiveGoAway({ streamId }: FrameHeader, payload: Buffer): void {
    if (streamId !== 0) throw broken('GOAWAY on a stream');
    if (payload.length < 8) throw wrongSize('GOAWAY');
    this.#guard.costly('GOAWAY frames');
    const lastId = payload.readUInt32BE(0) & 0x7fffffff;
    const code = payload.readUInt32BE(4);
    const reason = goAwayReason(code, payload.subarray(8));
    this.#isDraining = true;
    for (const stream of [...this.#streams.values()]) {
      if (!this.#isServer && stream.id > lastId) this.#close(stream, { kind: 'unprocessed', reason });
    }
    this.#options.onGoAway?.(code, reason);
    this.#closeIfDrained();
  }

  /** Frames of a stream that this side has reset are ignored; others of closed streams are errors. */
  #checkClosed(streamId: number, what: string): void {
    this.#checkNotIdle(streamId, what);
    if (!this.#resetIds.has(streamId))
      throw new Http2Error(ERROR_CODE.streamClosed, `the peer sent ${what} on a closed stream`);
    this.#guard.cheap('frames of closed streams');
  }

  #checkNotIdle(streamId: number, what: string): void {
    const isKnown = this.#isServer ? streamId <= this.#lastPeerId : streamId < this.#nextId;
    if (streamId % 2 === 0 || !isKnown)
      throw broken(`${what} on the stream ${streamId}, which was not opened`);
  }

  #addStream(id: number): ConnectionStream {
    const { target, available } = this.#local.streamWindow;
    const stream = new ConnectionStream({
      id,
      sendWindow: this.#peerWindow,
      receiveWindow: new ReceiveWindow(target, available),
      host: {
        ready: (ready) => this.#sender.ready(ready),
        reset: (from, code, reason) => this.#reset(from, code, reason),
        consumed: (from, bytes) => this.#consumed(from, bytes),
      },
    });
    this.#streams.set(id, stream);
    return stream;
  }

  #consumed(stream: ConnectionStream, bytes: number): void {
    const consumed = stream.receiveWindow.consume(bytes);
    if (!stream.isClosed && !stream.peerHasEnded) this.#update(stream.id, stream.receiveWindow.grant());
    this.#consumedOnConnection(consumed);
  }

  #consumedOnConnection(bytes: number): void {
    if (this.#hasEnded) return;
    this.#window.consume(bytes);
    this.#update(0, this.#window.grant());
  }

  #update(streamId: number, increment: number): void {
    if (increment > 0) this.#sender.control(encodeNumberFrame(FRAME.windowUpdate, streamId, increment));
  }

  /** The error of a peer costs it, as a stream that it resets. */
  #resetForFault(stream: ConnectionStream, code: number, reason: string): void {
    this.#reset(stream, code, `the peer sent ${reason}`);
    this.#guard.costly('faulty streams');
  }

  #reset(stream: ConnectionStream, code: number, reason: string): void {
    if (stream.isClosed) return;
    this.#sendReset(stream.id, code);
    this.#close(stream, { kind: 'cancelled', code, reason });
  }

  #sendReset(streamId: number, code: number): void {
    this.#resetIds.add(streamId);
    if (this.#resetIds.size > MAX_RESET_IDS) {
      const [oldest] = this.#resetIds;
      if (oldest !== undefined) this.#resetIds.delete(oldest);
    }
    this.#controlFrame(encodeNumberFrame(FRAME.rstStream, streamId, code));
  }

  #sentEnd(stream: ConnectionStream): void {
    if (stream.peerHasEnded) this.#close(stream, COMPLETE);
    else if (this.#isServer) {
      // The response is complete: the rest of the request is not needed (RFC 9113, section 8.1).
      this.#sendReset(stream.id, ERROR_CODE.noError);
      this.#close(stream, COMPLETE);
    }
  }

  #closeIfComplete(stream: ConnectionStream): void {
    if (stream.hasEnded && stream.peerHasEnded) this.#close(stream, COMPLETE);
  }

  #close(stream: ConnectionStream, end: StreamEnd): void {
    if (stream.isClosed) return;
    stream.end = end;
    this.#streams.delete(stream.id);
    this.#sender.forget(stream);
    // After a complete request, the receiver may consume its data later. Otherwise the rest of a frame is not delivered.
    if (!stream.peerHasEnded || end.kind !== 'complete') this.#consumed(stream, stream.unconsumedBytes);
    stream.receiver?.closed(end);
    this.#closeIfDrained();
  }

  #closeIfDrained(): void {
    if (!this.#isDraining || this.#streams.size > 0 || this.#hasEnded) return;
    this.#end({ reason: 'the connection was closed after its last call', isPeerFault: false }, 'close');
  }

  #control(header: FrameHeader, payload: Buffer = NOTHING): void {
    this.#controlFrame(encodeFrame(header, payload));
  }

  /** A peer that does not read its answers does not get more of them. */
  #controlFrame(frame: Buffer): void {
    this.#sender.control(frame);
    if (this.#sender.unwrittenControlBytes > MAX_CONTROL_BYTES && !this.#hasEnded)
      this.#end({ reason: 'the peer does not read its answers', isPeerFault: true }, 'destroy');
  }

  #sendGoAway(code: number, reason: string): void {
    const payload = Buffer.alloc(8 + reason.length);
    payload.writeUInt32BE(this.#lastPeerId, 0);
    payload.writeUInt32BE(code, 4);
    payload.write(reason, 8, 'latin1');
    this.#sender.control(encodeFrame({ type: FRAME.goAway, flags: 0, streamId: 0 }, payload));
  }

  #fail(code: number, reason: string): void {
    if (this.#hasEnded) return;
    this.#sendGoAway(code, reason);
    this.#end({ reason, code, isPeerFault: true }, 'close');
  }

  #end(end: ConnectionEnd, how: 'close' | 'destroy'): void {
    if (this.#hasEnded) return;
    this.#hasEnded = true;
    this.#reader.stop();
    this.#keepalive?.stop();
    this.#local.stop();
    for (const stream of [...this.#streams.values()])
      this.#close(stream, { kind: 'disconnected', reason: end.reason });
    this.#closeOutput(how);
    this.#options.onClosed(end);
  }

  #closeOutput(how: 'close' | 'destroy'): void {
    const { output, clock } = this.#options;
    if (how === 'destroy') {
      this.#sender.stop();
      output.destroy();
      return;
    }
    // The last stream may have ended during a flush: its frames come first.
    queueMicrotask(() => {
      this.#sender.flush();
      this.#sender.stop();
      output.end();
      clock.after(LINGER_MS, () => output.destroy());
    });
  }
}

const HEADER_LIST_BYTES = 16 * 1024;
const DEFAULT_STREAMS = 100;
/** Before the peer has sent its settings. */
const ASSUMED_STREAMS = 100;
const MAX_STREAM_ID = 2 ** 31 - 1;
const MAX_RESET_IDS = 256;
const UPDATES_PER_FRAME = 4;
const BYTES_PER_UPDATE = 512;
const MAX_CONTROL_BYTES = 64 * 1024;
/** A peer that does not read gets the last frames for as long. */
const LINGER_MS = 1_000;
const UNKNOWN_FRAME: FrameHeader = { type: 0xff, flags: 0, streamId: 0 };
const NOTHING = Buffer.alloc(0);
const COMPLETE: StreamEnd = { kind: 'complete' };

function broken(what: string): Http2Error {
  return new Http2Error(ERROR_CODE.protocolError, `the peer sent ${what}`);
}

function wrongSize(frame: string): Http2Error {
  return new Http2Error(ERROR_CODE.frameSizeError, `the peer sent a ${frame} frame of a wrong size`);
}

function windowFault(where: string): Http2Error {
  return new Http2Error(ERROR_CODE.flowControlError, `the peer exceeded the window of ${where}`);
}

/** The text of the peer is not trusted: a part of it, printable. */
function goAwayReason(code: number, debug: Buffer): string {
  const text = debug.toString('latin1', 0, 200).replaceAll(/[^ -~]/g, '?');
  const name = code === ERROR_CODE.noError ? 'the peer closes the connection' : errorName(code);
  return text === '' ? name : `${name}: ${text}`;
}
