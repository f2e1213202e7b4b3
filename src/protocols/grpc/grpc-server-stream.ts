import { ERROR_CODE } from '../http2/error-codes.ts';
import type { HeaderList } from '../http2/header-list.ts';
import type { Http2Clock } from '../http2/http2-clock.ts';
import type { Http2Stream } from '../http2/http2-stream.ts';
import type { StreamEnd, StreamReceiver } from '../http2/stream-receiver.ts';
import type { GrpcCallReceiver, GrpcPeer, GrpcServerCall, GrpcServerMethod } from './grpc-server-method.ts';
import { type GrpcServerRequest, readRequest } from './grpc-server-request.ts';
import { GRPC_STATUS, type GrpcStatus } from './grpc-status.ts';
import { HeldBytes } from './held-bytes.ts';
import { MessageAssembler, messagePrefix } from './message-assembler.ts';
import { encodeStatusMessage } from './status-message.ts';

/** Above this the peer reads too slowly. A small message costs more memory than its bytes. */
const QUEUED_BYTES = 64 * 1024;
const QUEUED_MESSAGES = 1_024;
/** The time for a peer to read the end of its call. */
const LINGER_MS = 60_000;

/**
 * One stream of HTTP/2 as a call of gRPC: the messages of the peer, in order, and the answers.
 *
 * A paused call copies what arrives, and does not return the window of the stream. So it holds at most one window, and the
 * peer waits.
 */
export class GrpcServerStream implements GrpcServerCall, StreamReceiver {
  readonly #stream: Http2Stream;
  readonly #options: GrpcServerStreamOptions;
  readonly #assembler: MessageAssembler;
  readonly #held = new HeldBytes();
  #receiver: GrpcCallReceiver | undefined;
  #cancelDeadline: () => void = () => {};
  #isPaused = false;
  #isReading = false;
  #waitsForDrain = false;
  #queuedMessages = 0;
  #hasSentHeaders = false;
  #peerEnd: 'open' | 'received' | 'delivered' = 'open';
  #hasEnded = false;

  constructor(stream: Http2Stream, headers: HeaderList, options: GrpcServerStreamOptions) {
    this.#stream = stream;
    this.#options = options;
    this.#assembler = new MessageAssembler({
      maxMessageBytes: options.maxMessageBytes,
      allocate: options.allocate,
      release: options.release,
      onMessage: (message) => this.#receiver?.receive(message),
    });
    this.#begin(readRequest(headers));
  }

  get peer(): GrpcPeer {
    return this.#options.peer;
  }

  /** The size of an incomplete message of which some bytes were received; 0: there is none. */
  get begunBytes(): number {
    return this.#assembler.begunBytes;
  }

  get isPaused(): boolean {
    return this.#isPaused;
  }

  send(message: Uint8Array): boolean {
    if (this.#hasEnded) return true;
    this.#sendHeaders();
    const parts = [Buffer.concat([messagePrefix(message.length), message])];
    this.#queuedMessages++;
    this.#stream.sendData(parts, { onSent: () => this.#sent() });
    this.#waitsForDrain ||= this.#stream.queuedBytes > QUEUED_BYTES || this.#queuedMessages > QUEUED_MESSAGES;
    return !this.#waitsForDrain;
  }

  pause(): void {
    this.#isPaused = true;
  }

  resume(): void {
    this.#isPaused = false;
    this.#readHeld();
  }

  end(status: GrpcStatus = OK): void {
    if (this.#hasEnded) return;
    const trailers: HeaderList = [
      ['grpc-status', String(status.code)],
      ...(status.message === '' ? [] : [['grpc-message', encodeStatusMessage(status.message)] as const]),
    ];
    const headers = this.#hasSentHeaders ? trailers : [...RESPONSE_HEADERS, ...trailers];
    this.#stream.sendHeaders(headers, { end: true });
    this.#ended();
  }

  /** Ends the call without a status. */
  reset(code: number, reason: string): void {
    this.#stream.reset(code, reason);
  }

  headers(_: HeaderList, end: boolean): void {
    if (end) this.#peerEnded();
  }

  data(view: Buffer, end: boolean): void {
    if (this.#hasEnded) this.#stream.consumed(view.length);
    else if (this.#isPaused || this.#held.length > 0) this.#hold(view);
    else this.#read(view);
    if (end) this.#peerEnded();
  }

  closed(end: StreamEnd): void {
    this.#hasEnded = true;
    this.#release();
    this.#report(reasonOf(end));
  }

  #begin(request: GrpcServerRequest): void {
    if (request.kind === 'not-grpc') {
      this.#stream.sendHeaders(request.headers, { end: true });
      this.#ended();
    } else if (request.kind === 'refused') this.end(request.status);
    else {
      const method = this.#options.method(request.path);
      if (method === undefined) this.end(unimplemented(request.path));
      else this.#call(method, request.timeoutMs);
    }
  }

  #call(method: GrpcServerMethod, timeoutMs: number | undefined): void {
    this.#options.begun(this);
    if (timeoutMs !== undefined)
      this.#cancelDeadline = this.#options.clock.after(timeoutMs, () => this.#fail(DEADLINE_EXCEEDED));
    this.#guarded(() => {
      this.#receiver = method(this);
    });
  }

  /** Reads until the call is paused; holds the rest. */
  #read(view: Buffer): void {
    this.#isReading = true;
    const readBytes = this.#readMessages(view);
    this.#isReading = false;
    if (this.#hasEnded) this.#stream.consumed(view.length - readBytes);
    else if (readBytes < view.length) this.#hold(view.subarray(readBytes));
    this.#readHeld();
  }

  #hold(view: Buffer): void {
    this.#held.append(view);
    this.#options.held?.(this, view.length);
  }

  /** After the end of the call, nothing is held. */
  #discardHeld(bytes: number): void {
    if (this.#hasEnded) return;
    this.#held.discard(bytes);
    this.#options.held?.(this, -bytes);
  }

  #readHeld(): void {
    if (this.#isReading) return;
    this.#isReading = true;
    while (this.#held.length > 0 && !this.#isPaused && !this.#hasEnded)
      this.#discardHeld(this.#readMessages(this.#held.first));
    this.#isReading = false;
    this.#deliverEnd();
  }

  /** Returns the bytes that were read: all, or those of the messages until the call was paused. */
  #readMessages(view: Buffer): number {
    let at = 0;
    let fault: GrpcStatus | undefined;
    let hasMessage = false;
    while (at < view.length && this.#mayRead()) {
      const bytes = Math.min(this.#assembler.missingBytes, view.length - at);
      const part = view.subarray(at, at + bytes);
      this.#guarded(() => {
        fault = this.#assembler.receive(part);
      });
      at += bytes;
      hasMessage ||= this.#assembler.unfinishedBytes === 0;
      if (fault !== undefined) this.#fail(fault);
    }
    this.#stream.consumed(at);
    if (!this.#hasEnded) this.#options.progressed(this, this.#assembler.unfinishedBytes, hasMessage);
    return at;
  }

  /** Pauses the call at the beginning of a message that must wait. */
  #mayRead(): boolean {
    const announced = this.#assembler.announcedBytes;
    if (announced !== undefined && !this.#isPaused && this.#receiver?.mayReceive?.(announced) === false)
      this.#isPaused = true;
    return !this.#isPaused && !this.#hasEnded;
  }

  #peerEnded(): void {
    if (this.#peerEnd === 'open') this.#peerEnd = 'received';
    this.#deliverEnd();
  }

  #deliverEnd(): void {
    if (this.#peerEnd !== 'received' || this.#isPaused || this.#isReading || this.#held.length > 0) return;
    this.#peerEnd = 'delivered';
    if (this.#assembler.unfinishedBytes > 0) this.#fail(INCOMPLETE);
    else this.#guarded(() => this.#receiver?.peerEnded());
  }

  /** A fault of a method ends its call, and nothing else. */
  #guarded(work: () => void): void {
    try {
      work();
    } catch (error) {
      const message = error instanceof Error ? error.message : String(error);
      this.#fail({ code: GRPC_STATUS.internal, message });
    }
  }

  /** Ends the call for a reason that the method does not know. */
  #fail(status: GrpcStatus): void {
    this.end(status);
    this.#report(status.message);
  }

  #report(reason: string): void {
    const receiver = this.#receiver;
    this.#receiver = undefined;
    receiver?.closed(reason);
  }

  #sendHeaders(): void {
    if (this.#hasSentHeaders) return;
    this.#hasSentHeaders = true;
    this.#stream.sendHeaders(RESPONSE_HEADERS);
  }

  #sent(): void {
    this.#queuedMessages--;
    if (!this.#waitsForDrain || this.#stream.queuedBytes > QUEUED_BYTES / 2) return;
    if (this.#queuedMessages > QUEUED_MESSAGES / 2) return;
    this.#waitsForDrain = false;
    this.#receiver?.drained?.();
  }

  /** The status is sent. HTTP/2 tells a peer that has not ended its side to stop. */
  #ended(): void {
    this.#hasEnded = true;
    this.#release();
    if (this.#stream.isClosed || this.#stream.queuedBytes === 0) return;
    this.#cancelDeadline = this.#options.clock.after(LINGER_MS, () => this.reset(ERROR_CODE.cancel, UNREAD));
  }

  #release(): void {
    this.#cancelDeadline();
    const unfinished = this.#assembler.discard();
    if (unfinished !== undefined) this.#options.release?.(unfinished);
    const heldBytes = this.#held.length;
    this.#held.clear();
    if (heldBytes > 0) this.#options.held?.(this, -heldBytes);
    this.#stream.consumed(heldBytes);
    this.#options.over(this);
  }
}

export interface GrpcServerStreamOptions {
  readonly peer: GrpcPeer;
  readonly clock: Http2Clock;
  readonly maxMessageBytes: number;
  /** See `MessageAssemblerOptions`. */
  readonly allocate?: ((bytes: number) => Buffer) | undefined;
  readonly release?: ((buffer: Buffer) => void) | undefined;
  /** The method with this path: `/grpc.health.v1.Health/Check`. */
  readonly method: (path: string) => GrpcServerMethod | undefined;
  /** A call of a known method has begun. */
  readonly begun: (call: GrpcServerStream) => void;
  /** Bytes were read. `unfinishedBytes`: those of an incomplete message. */
  readonly progressed: (call: GrpcServerStream, unfinishedBytes: number, hasMessage: boolean) => void;
  /** The bytes that the call holds without reading them have changed. */
  readonly held?: ((call: GrpcServerStream, changeBytes: number) => void) | undefined;
  /** Nothing more is read. May be called more than once. */
  readonly over: (call: GrpcServerStream) => void;
}

const RESPONSE_HEADERS: HeaderList = [
  [':status', '200'],
  ['content-type', 'application/grpc+proto'],
  ['grpc-accept-encoding', 'identity'],
];

const UNREAD = 'the peer did not read the end of the call';
const OK: GrpcStatus = { code: GRPC_STATUS.ok, message: '' };
const DEADLINE_EXCEEDED: GrpcStatus = {
  code: GRPC_STATUS.deadlineExceeded,
  message: 'the deadline is exceeded',
};
const INCOMPLETE: GrpcStatus = { code: GRPC_STATUS.internal, message: 'the last message is incomplete' };

function unimplemented(path: string): GrpcStatus {
  return { code: GRPC_STATUS.unimplemented, message: `The server does not implement the method ${path}` };
}

function reasonOf(end: StreamEnd): string {
  if (end.kind === 'complete') return 'closed';
  if (end.kind === 'reset') return 'cancelled by the peer';
  return end.reason;
}
