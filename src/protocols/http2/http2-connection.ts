import { ConnectionStream, type StreamHost } from './connection-stream.ts';
import { ControlFrames } from './control-frames.ts';
import { DataReceiver } from './data-receiver.ts';
import { ERROR_CODE, errorName } from './error-codes.ts';
import { FloodGuard } from './flood-guard.ts';
import { FLAG, FRAME, type FrameHeader, MAX_FRAME_BYTES, PREFACE } from './frame.ts';
import { FrameReader } from './frame-reader.ts';
import { FrameSender } from './frame-sender.ts';
import { headerFault } from './header-fault.ts';
import { type HeaderList, headerOf } from './header-list.ts';
import { HeaderReader } from './header-reader.ts';
import { Http2Error } from './http2-error.ts';
import type { ConnectionEnd, Http2ConnectionOptions } from './http2-options.ts';
import type { Http2Stream } from './http2-stream.ts';
import { Keepalive } from './keepalive.ts';
import { LocalSettings } from './local-settings.ts';
import { peerFault } from './peer-fault.ts';
import { PrefaceCheck } from './preface-check.ts';
import { ReceiveWindow } from './receive-window.ts';
import { SendWindows } from './send-windows.ts';
import { decodeSettings, SETTING } from './settings.ts';
import type { StreamEnd, StreamReceiver } from './stream-receiver.ts';
import { StreamTable } from './stream-table.ts';

/**
 * One HTTP/2 connection (RFC 9113), as client or server, without a socket: bytes come in by `receive`, and leave by
 * `output`. `src/transport/http2` connects it with sockets.
 *
 *     socket -> receive(view) -> FrameReader -> HEADERS -> HpackDecoder -> receiver.headers
 *                                           -> DATA views, not copied  -> receiver.data   (consumed -> WINDOW_UPDATE)
 *     sendData(parts) -> queue of the stream -> windows -> frames -> output.write(parts)  (written -> onSent)
 *
 * Its parts: `HeaderReader` and `DataReceiver` for the frames of streams, `SendWindows` and `LocalSettings` for the settings and
 * windows of both sides, `StreamTable` for the streams, `FrameSender` and `ControlFrames` for what leaves. This class
 * distributes the frames, and begins and ends streams and the connection.
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
  readonly #preface: PrefaceCheck;
  readonly #reader: FrameReader;
  readonly #guard: FloodGuard;
  readonly #streams: StreamTable;
  readonly #headers: HeaderReader;
  readonly #data: DataReceiver;
  readonly #sender: FrameSender;
  readonly #control: ControlFrames;
  readonly #sendWindows: SendWindows;
  readonly #local: LocalSettings;
  readonly #keepalive: Keepalive | undefined;
  readonly #host: StreamHost;
  /** The streams that the peer permits. */
  #peerStreams = ASSUMED_STREAMS;
  /** Something other than data in the current chunk proves that the peer is alive. */
  #hasProof = false;
  #hasSettings = false;
  #isDraining = false;
  #hasEnded = false;

  constructor(options: Http2ConnectionOptions) {
    const { role, output, clock, headerListBytes = HEADER_LIST_BYTES } = options;
    const frameBytes = options.frameBytes ?? MAX_FRAME_BYTES;
    this.#options = options;
    this.#isServer = role === 'server';
    this.#guard = new FloodGuard(clock);
    this.#streams = new StreamTable(role, this.#guard);
    this.#headers = new HeaderReader(headerListBytes, (id, list, end) => this.#receiveList(id, list, end));
    this.#preface = new PrefaceCheck(role);
    this.#sender = new FrameSender({ output, onEnded: (stream) => this.#sentEnd(stream) });
    this.#control = new ControlFrames(this.#sender, () => this.#end(UNREAD, 'destroy'));
    const parts = {
      streams: this.#streams,
      guard: this.#guard,
      resetForFault: this.#resetForFault.bind(this),
    };
    this.#sendWindows = new SendWindows({ ...parts, sender: this.#sender });
    this.#data = new DataReceiver({
      ...parts,
      ...{ control: this.#control, connectionWindowBytes: options.connectionWindowBytes },
      closeIfComplete: (stream) => this.#closeIfComplete(stream),
    });
    this.#reader = new FrameReader(this.#frameHandler(), frameBytes);
    this.#host = this.#streamHost();
    if (!this.#isServer) this.#sender.control(PREFACE);
    this.#local = new LocalSettings({
      clock,
      send: (payload) => this.#control.send(SETTINGS, payload),
      timedOut: () => this.#fail(ERROR_CODE.settingsTimeout, 'the peer does not acknowledge the settings'),
    });
    this.#local.begin(options.streamWindowBytes, this.#initialSettings(frameBytes));
    this.#data.resizeConnection(options.connectionWindowBytes);
    this.#keepalive = this.#startKeepalive();
  }

  /** Number of streams that are not over. */
  get openStreams(): number {
    return this.#streams.open.size;
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
    this.#data.hasReceived = false;
    this.#sendWindows.hasMoved = false;
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
    this.#keepalive?.received(this.#hasProof || this.#data.hasReceived || this.#sendWindows.hasMoved);
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
    if (this.isDraining || this.openStreams >= this.#peerStreams || !this.#streams.hasNextId)
      return undefined;
    const stream = this.#addStream(this.#streams.takeNextId());
    stream.receiver = receiver;
    stream.sendHeaders(headers, { end });
    return stream;
  }

  /** Changes the windows of `Http2ConnectionOptions`, also for open streams. */
  setWindows(streamBytes: number, connectionBytes: number): void {
    if (this.#hasEnded) return;
    this.#shiftWindows(this.#local.resize(streamBytes));
    this.#data.resizeConnection(connectionBytes);
  }

  /** Accepts no new streams (GOAWAY). The connection closes when all streams are over. */
  goAway(): void {
    if (this.isDraining) return;
    this.#isDraining = true;
    this.#control.goAway(this.#streams.lastPeerId, ERROR_CODE.noError, '');
    this.#closeIfDrained();
  }

  /** Ends the connection at once; `code`: sent in a GOAWAY. */
  destroy(reason: string, code: number = ERROR_CODE.noError): void {
    this.#control.goAway(this.#streams.lastPeerId, code, code === ERROR_CODE.noError ? '' : reason);
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

  #startKeepalive(): Keepalive | undefined {
    const { keepalive, clock } = this.#options;
    if (keepalive === undefined) return undefined;
    return new Keepalive({
      ...keepalive,
      clock,
      isNeeded: () => keepalive.withoutStreams === true || this.openStreams > 0,
      ping: (payload) => this.#control.send({ type: FRAME.ping, flags: 0, streamId: 0 }, payload),
      timedOut: (reason) => this.#end({ reason, isPeerFault: false }, 'destroy'),
    });
  }

  #frameHandler() {
    return {
      frame: (header: FrameHeader, payload: Buffer) => this.#receiveFrame(header, payload),
      unknownFrame: () => {
        this.#checkOrder(UNKNOWN_FRAME);
        this.#guard.cheap('unknown frames');
      },
      dataFrame: (header: FrameHeader, length: number) => {
        this.#checkOrder(header);
        this.#data.begin(header, length);
      },
      data: (view: Buffer, isLast: boolean) => this.#data.receive(view, isLast),
    };
  }

  #receiveFrame(header: FrameHeader, payload: Buffer): void {
    this.#checkOrder(header);
    const { type } = header;
    if (type === FRAME.headers) this.#receiveHeaders(header, payload);
    else if (type === FRAME.continuation) this.#headers.continuation(header, payload);
    else if (type === FRAME.settings) this.#receiveSettings(header, payload);
    else if (type === FRAME.windowUpdate) this.#sendWindows.update(header, payload);
    else if (type === FRAME.ping) this.#receivePing(header, payload);
    else if (type === FRAME.rstStream) this.#receiveReset(header, payload);
    else if (type === FRAME.goAway) this.#receiveGoAway(header, payload);
    else if (type === FRAME.priority) this.#receivePriority(header, payload);
    else throw peerFault.sent('a PUSH_PROMISE frame, which this side does not permit');
  }

  #checkOrder({ type, flags, streamId }: FrameHeader): void {
    if (!this.#hasSettings && (type !== FRAME.settings || (flags & FLAG.ack) !== 0))
      throw peerFault.sent('a frame before its settings');
    const open = this.#headers.openStreamId;
    if (open !== undefined && (type !== FRAME.continuation || streamId !== open))
      throw peerFault.sent('a frame inside of a header block');
  }

  #receiveHeaders(header: FrameHeader, payload: Buffer): void {
    this.#hasProof = true;
    this.#headers.headers(header, payload);
  }

  #receiveList(streamId: number, list: HeaderList, end: boolean): void {
    const stream = this.#streams.open.get(streamId);
    if (stream !== undefined) this.#passHeaders(stream, list, end);
    else if (this.#streams.takePeerId(streamId)) this.#accept(streamId, list, end);
    else this.#streams.checkClosed(streamId, 'HEADERS');
  }

  #accept(id: number, list: HeaderList, end: boolean): void {
    const { onStream, concurrentStreams = DEFAULT_STREAMS } = this.#options;
    if (this.isDraining || onStream === undefined || this.openStreams >= concurrentStreams) {
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

  #receiveSettings({ flags, streamId }: FrameHeader, payload: Buffer): void {
    if (streamId !== 0) throw peerFault.sent('SETTINGS on a stream');
    if ((flags & FLAG.ack) !== 0) {
      if (payload.length > 0) throw peerFault.wrongSize('SETTINGS');
      this.#shiftWindows(this.#local.acknowledged());
      this.#options.onSettingsAcknowledged?.();
      return;
    }
    this.#guard.costly('SETTINGS frames');
    for (const [id, value] of decodeSettings(payload)) this.#applySetting(id, value);
    this.#control.send({ ...SETTINGS, flags: FLAG.ack });
    this.#sender.resume();
    if (this.#hasSettings) return;
    this.#hasSettings = true;
    this.#options.onReady?.();
  }

  #applySetting(id: number, value: number): void {
    if (id === SETTING.maxFrameSize) this.#sender.maxFrameBytes = value;
    else if (id === SETTING.maxConcurrentStreams) this.#peerStreams = value;
    else if (id === SETTING.initialWindowSize) this.#sendWindows.resizeStreams(value);
    else if (id === SETTING.enablePush && value === 1 && !this.#isServer)
      throw peerFault.sent('a setting that only a client may send');
  }

  /** The receive windows of all streams change by these bytes. */
  #shiftWindows(bytes: number): void {
    this.#data.shiftStreams(this.#local.streamWindow.target, bytes);
  }

  #receivePing({ flags, streamId }: FrameHeader, payload: Buffer): void {
    if (streamId !== 0) throw peerFault.sent('a PING on a stream');
    if (payload.length !== 8) throw peerFault.wrongSize('PING');
    this.#guard.cheap('PING frames');
    if ((flags & FLAG.ack) !== 0) this.#keepalive?.answered(payload);
    else this.#control.send({ type: FRAME.ping, flags: FLAG.ack, streamId: 0 }, Buffer.from(payload));
  }

  #receiveReset({ streamId }: FrameHeader, payload: Buffer): void {
    if (payload.length !== 4) throw peerFault.wrongSize('RST_STREAM');
    this.#streams.checkNotIdle(streamId, 'RST_STREAM');
    this.#guard.costly('streams that are reset');
    const stream = this.#streams.open.get(streamId);
    if (stream === undefined) return;
    const code = payload.readUInt32BE(0);
    const isComplete = stream.peerHasEnded && code === ERROR_CODE.noError;
    this.#close(stream, isComplete ? COMPLETE : { kind: 'reset', code });
  }

  #receivePriority({ streamId }: FrameHeader, payload: Buffer): void {
    if (streamId === 0) throw peerFault.sent('PRIORITY without a stream');
    if (payload.length !== 5) throw peerFault.wrongSize('PRIORITY');
    this.#guard.cheap('PRIORITY frames');
  }

  #receiveGoAway({ streamId }: FrameHeader, payload: Buffer): void {
    if (streamId !== 0) throw peerFault.sent('GOAWAY on a stream');
    if (payload.length < 8) throw peerFault.wrongSize('GOAWAY');
    this.#guard.costly('GOAWAY frames');
    const lastId = payload.readUInt32BE(0) & 0x7fffffff;
    const code = payload.readUInt32BE(4);
    const reason = goAwayReason(code, payload.subarray(8));
    this.#isDraining = true;
    for (const stream of [...this.#streams.open.values()]) {
      if (!this.#isServer && stream.id > lastId) this.#close(stream, { kind: 'unprocessed', reason });
    }
    this.#options.onGoAway?.(code, reason);
    this.#closeIfDrained();
  }

  #addStream(id: number): ConnectionStream {
    const { target, available } = this.#local.streamWindow;
    const stream = new ConnectionStream({
      id,
      host: this.#host,
      sendWindow: this.#sendWindows.streamBytes,
      receiveWindow: new ReceiveWindow(target, available),
    });
    this.#streams.open.set(id, stream);
    return stream;
  }

  #streamHost(): StreamHost {
    return {
      ready: (stream) => this.#sender.ready(stream),
      reset: (stream, code, reason) => this.#reset(stream, code, reason),
      consumed: (stream, bytes) => this.#data.consumed(stream, bytes),
    };
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
    this.#streams.rememberReset(streamId);
    this.#control.reset(streamId, code);
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
    this.#streams.open.delete(stream.id);
    this.#sender.forget(stream);
    // After a complete request, the receiver may consume its data later. Otherwise the rest of a frame is not delivered.
    if (!stream.peerHasEnded || end.kind !== 'complete') this.#data.consumed(stream, stream.unconsumedBytes);
    stream.receiver?.closed(end);
    this.#closeIfDrained();
  }

  #closeIfDrained(): void {
    if (!this.#isDraining || this.openStreams > 0 || this.#hasEnded) return;
    this.#end({ reason: 'the connection was closed after its last call', isPeerFault: false }, 'close');
  }

  #fail(code: number, reason: string): void {
    if (this.#hasEnded) return;
    this.#control.goAway(this.#streams.lastPeerId, code, reason);
    this.#end({ reason, code, isPeerFault: true }, 'close');
  }

  #end(end: ConnectionEnd, how: 'close' | 'destroy'): void {
    if (this.#hasEnded) return;
    this.#hasEnded = true;
    this.#reader.stop();
    this.#keepalive?.stop();
    this.#local.stop();
    this.#data.stop();
    for (const stream of [...this.#streams.open.values()])
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
/** A peer that does not read gets the last frames for as long. */
const LINGER_MS = 1_000;
const UNKNOWN_FRAME: FrameHeader = { type: 0xff, flags: 0, streamId: 0 };
const SETTINGS: FrameHeader = { type: FRAME.settings, flags: 0, streamId: 0 };
const COMPLETE: StreamEnd = { kind: 'complete' };
const UNREAD: ConnectionEnd = { reason: 'the peer does not read its answers', isPeerFault: true };

/** The text of the peer is not trusted: a part of it, printable. */
function goAwayReason(code: number, debug: Buffer): string {
  const text = debug.toString('latin1', 0, 200).replaceAll(/[^ -~]/g, '?');
  const name = code === ERROR_CODE.noError ? 'the peer closes the connection' : errorName(code);
  return text === '' ? name : `${name}: ${text}`;
}
