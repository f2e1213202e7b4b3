import type { Socket } from 'node:net';
import type { GrpcPeer, GrpcServerMethod } from '../../../protocols/grpc/grpc-server-method.ts';
import { GrpcServerStream } from '../../../protocols/grpc/grpc-server-stream.ts';
import type { GrpcStatus } from '../../../protocols/grpc/grpc-status.ts';
import { ERROR_CODE } from '../../../protocols/http2/error-codes.ts';
import { type HeaderList, headerOf } from '../../../protocols/http2/header-list.ts';
import type { Http2Connection } from '../../../protocols/http2/http2-connection.ts';
import type { ConnectionEnd } from '../../../protocols/http2/http2-options.ts';
import type { Http2Stream } from '../../../protocols/http2/http2-stream.ts';
import { LIMITS } from '../../../records/limits.ts';
import { PUBLISH_PATH } from '../../../records/publish-codec.ts';
import { Timer } from '../../../runtime/async/timer.ts';
import type { BufferPool } from '../../../runtime/buffer-pool.ts';
import type { Clock } from '../../../runtime/clock.ts';
import { acceptHttp2 } from '../../../transport/http2/accept-http2.ts';
import type { SharedWindows } from './shared-windows.ts';
import type { UnfinishedMessages } from './unfinished-messages.ts';
import { connectionWindow, type WindowShare } from './window-share.ts';

const KEEPALIVE_MS = 10_000;
/** A collector has one; the others are for health and reflection. */
const CALLS_PER_CONNECTION = 4;
/** As the hard limit of other gRPC implementations. A collector sends less than 1 KiB. */
const CALL_HEADERS_BYTES = 16 * 1024;
/** For health and reflection: a request is held until the peer ends its side, and their answers repeat parts of it. */
const SMALL_MESSAGE_BYTES = 4 * 1024;
const IDLE_MS = 60_000;
/** The time for a peer to close an idle connection. */
const CLOSE_WITHIN_MS = 10_000;

/** One connection of a peer: its calls, its windows, and its end when it is idle. */
export class GrpcConnection {
  readonly #options: GrpcConnectionOptions;
  readonly #connection: Http2Connection;
  readonly #calls = new Set<GrpcServerStream>();
  readonly #window: WindowShare;
  readonly #idleTimer: Timer;
  #activeMs: number;

  constructor(socket: Socket, options: GrpcConnectionOptions) {
    const { clock, windows } = options;
    this.#options = options;
    this.#activeMs = clock.monotonicMs();
    this.#idleTimer = new Timer(clock, () => this.#checkIdle());
    this.#idleTimer.set(IDLE_MS);
    this.#window = windows.open();
    const { windowBytes } = this.#window;
    const accepted = acceptHttp2(socket, {
      clock,
      streamWindowBytes: windowBytes,
      connectionWindowBytes: connectionWindow(windowBytes),
      concurrentStreams: CALLS_PER_CONNECTION,
      headerListBytes: CALL_HEADERS_BYTES,
      keepalive: { intervalMs: KEEPALIVE_MS, timeoutMs: KEEPALIVE_MS },
      onStream: (stream, headers) => this.#begin(stream, headers),
      onSettingsAcknowledged: () => this.#window.acknowledged(),
      onClosed: (end) => this.#closed(end),
    });
    this.#connection = accepted.connection;
    this.#window.attach(this.#connection);
  }

  /** Accepts no more calls, and closes when there are none. */
  goAway(): void {
    this.#connection.goAway();
  }

  /** Ends the calls that are left. */
  endCalls(status: GrpcStatus): void {
    for (const call of [...this.#calls]) call.end(status);
  }

  destroy(reason: string): void {
    this.#connection.destroy(reason);
  }

  #begin(stream: Http2Stream, headers: HeaderList): GrpcServerStream {
    const { clock, peer, method, unfinished, messages } = this.#options;
    const isPublish = headerOf(headers, ':path') === PUBLISH_PATH;
    this.#activeMs = clock.monotonicMs();
    return new GrpcServerStream(stream, headers, {
      peer,
      clock,
      maxMessageBytes: isPublish ? LIMITS.messageBytes : SMALL_MESSAGE_BYTES,
      allocate: messages && ((bytes) => messages.take(bytes)),
      release: messages && ((buffer) => messages.release(buffer)),
      method,
      begun: (call) => this.#calls.add(call),
      progressed: (call, bytes, hasMessage) => {
        unfinished.progressed(call, bytes, hasMessage);
        this.#window.receives(call.begunBytes);
      },
      held: (call, changeBytes) => this.#held(call, changeBytes),
      over: (call) => this.#over(call),
    });
  }

  #held(call: GrpcServerStream, changeBytes: number): void {
    if (this.#window.hold(changeBytes)) return;
    this.#options.onCallEnded(TOO_MANY_HELD);
    call.reset(ERROR_CODE.enhanceYourCalm, TOO_MANY_HELD);
  }

  #over(call: GrpcServerStream): void {
    this.#options.unfinished.forget(call);
    if (this.#calls.delete(call)) this.#activeMs = this.#options.clock.monotonicMs();
  }

  #checkIdle(): void {
    const idleMs = this.#options.clock.monotonicMs() - this.#activeMs;
    if (this.#connection.openStreams > 0) this.#idleTimer.set(IDLE_MS);
    else if (idleMs < IDLE_MS) this.#idleTimer.set(IDLE_MS - idleMs);
    else this.#endIdle();
  }

  #endIdle(): void {
    this.#connection.goAway();
    this.#options.clock.after(CLOSE_WITHIN_MS, () => this.#connection.destroy('no call'));
  }

  #closed(end: ConnectionEnd): void {
    this.#idleTimer.cancel();
    this.#window.close();
    this.#options.onClosed(end);
  }
}

const TOO_MANY_HELD = 'the calls of a connection exceed its window';

export interface GrpcConnectionOptions {
  readonly peer: GrpcPeer;
  readonly clock: Clock;
  readonly windows: SharedWindows;
  readonly unfinished: UnfinishedMessages;
  /** Memory for messages. undefined: each has new memory. */
  readonly messages: BufferPool | undefined;
  readonly method: (path: string) => GrpcServerMethod | undefined;
  /** A call was ended because of a limit. */
  readonly onCallEnded: (reason: string) => void;
  /** Called once. */
  readonly onClosed: (end: ConnectionEnd) => void;
}
