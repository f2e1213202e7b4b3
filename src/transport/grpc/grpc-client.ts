import { GrpcCall, type GrpcCallReceiver } from '../../protocols/grpc/grpc-call.ts';
import { GRPC_STATUS, type GrpcStatus } from '../../protocols/grpc/grpc-status.ts';
import { formatTimeout } from '../../protocols/grpc/grpc-timeout.ts';
import type { HeaderList } from '../../protocols/http2/header-list.ts';
import type { Http2Connection } from '../../protocols/http2/http2-connection.ts';
import type { Clock } from '../../runtime/clock.ts';
import { type Endpoint, formatAddress } from '../../runtime/configuration/address.ts';
import type { TlsMaterial } from '../../runtime/tls.ts';
import { connectHttp2, type PendingConnection } from '../http2/connect-http2.ts';

/**
 * Calls of one server. A call connects if there is no connection, and fails if that fails. There are no retries, so a caller
 * that repeats its calls must pause between them.
 */
export class GrpcClient {
  readonly #options: GrpcClientOptions;
  /** For new calls. */
  #connection: Http2Connection | undefined;
  /** Those with calls that continue after a GOAWAY too. */
  readonly #connections = new Set<Http2Connection>();
  #pending: PendingConnection | undefined;
  /** Calls that wait for the connection. */
  #waiting: WaitingCall[] = [];
  #isClosed = false;

  constructor(options: GrpcClientOptions) {
    this.#options = options;
  }

  /** Begins a call, with any number of messages in both directions. `receiver` is not used during the call. */
  call(path: string, receiver: GrpcCallReceiver, { timeoutMs }: CallOptions = {}): GrpcCall {
    let cancelDeadline = () => {};
    const call = new GrpcCall(
      {
        message: (bytes) => receiver.message(bytes),
        closed: (status) => {
          cancelDeadline();
          receiver.closed(status);
        },
      },
      this.#options.maxMessageBytes,
    );
    if (timeoutMs !== undefined)
      cancelDeadline = this.#options.clock.after(timeoutMs, () => call.cancel(lateAfter(timeoutMs)));
    this.#begin({ call, headers: this.#headers(path, timeoutMs) });
    return call;
  }

  /** Ends all calls and connections. */
  close(): void {
    this.#isClosed = true;
    this.#pending?.cancel(CLOSED);
    for (const connection of this.#connections) connection.destroy(CLOSED);
  }

  #begin(waiting: WaitingCall): void {
    if (this.#isClosed) queueMicrotask(() => waiting.call.cancel(unavailable(CLOSED)));
    else if (this.#connection !== undefined) open(this.#connection, waiting);
    else {
      this.#waiting.push(waiting);
      this.#pending ??= this.#connect();
    }
  }

  #connect(): PendingConnection {
    const { endpoint, tls, clock, connectTimeoutMs = CONNECT_TIMEOUT_MS } = this.#options;
    let connection: Http2Connection | undefined;
    return connectHttp2({
      endpoint,
      tls,
      connectTimeoutMs,
      http2: {
        clock,
        streamWindowBytes: WINDOW_BYTES,
        connectionWindowBytes: WINDOW_BYTES,
        keepalive: { intervalMs: KEEPALIVE_MS, timeoutMs: KEEPALIVE_MS },
        onGoAway: () => this.#retire(connection),
        onClosed: () => {
          this.#retire(connection);
          if (connection !== undefined) this.#connections.delete(connection);
        },
      },
      onConnected: (connected) => {
        connection = connected;
        this.#connected(connected);
      },
      onFailed: (reason) => this.#failed(reason),
    });
  }

  #connected(connection: Http2Connection): void {
    this.#connection = connection;
    this.#connections.add(connection);
    for (const waiting of this.#takeWaiting()) open(connection, waiting);
  }

  #failed(reason: string): void {
    for (const { call } of this.#takeWaiting()) call.cancel(unavailable(reason));
  }

  #takeWaiting(): readonly WaitingCall[] {
    const waiting = this.#waiting;
    this.#waiting = [];
    this.#pending = undefined;
    return waiting;
  }

  /** New calls use another connection. */
  #retire(connection: Http2Connection | undefined): void {
    if (this.#connection === connection) this.#connection = undefined;
  }

  #headers(path: string, timeoutMs: number | undefined): HeaderList {
    const { endpoint, tls, userAgent } = this.#options;
    return [
      [':method', 'POST'],
      [':scheme', tls === undefined ? 'http' : 'https'],
      [':path', path],
      [':authority', 'socketPath' in endpoint ? 'localhost' : formatAddress(endpoint)],
      ['te', 'trailers'],
      ...(timeoutMs === undefined ? [] : [['grpc-timeout', formatTimeout(timeoutMs)] as const]),
      ['content-type', 'application/grpc'],
      ['user-agent', userAgent],
    ];
  }
}

function open(connection: Http2Connection, { call, headers }: WaitingCall): void {
  if (call.isClosed) return;
  const stream = connection.open(headers, call);
  if (stream === undefined) call.cancel(unavailable('the server permits no more calls on this connection'));
  else call.opened(stream);
}

/** A connection attempt fails after this time. */
const CONNECT_TIMEOUT_MS = 8_000;
/** A dead connection is detected while it has calls. */
const KEEPALIVE_MS = 10_000;
/** Answers are small. */
const WINDOW_BYTES = 65_535;
const CLOSED = 'the client is closed';

function unavailable(message: string): GrpcStatus {
  return { code: GRPC_STATUS.unavailable, message };
}

function lateAfter(timeoutMs: number): GrpcStatus {
  return { code: GRPC_STATUS.deadlineExceeded, message: `no answer within ${timeoutMs / 1000} s` };
}

interface WaitingCall {
  readonly call: GrpcCall;
  readonly headers: HeaderList;
}

export interface CallOptions {
  /** The time for the whole call, with its connection. Default: no limit. */
  readonly timeoutMs?: number | undefined;
}

export interface GrpcClientOptions {
  readonly endpoint: Endpoint;
  /** undefined: plain text. */
  readonly tls: TlsMaterial | undefined;
  readonly clock: Clock;
  /** The largest answer. */
  readonly maxMessageBytes: number;
  readonly userAgent: string;
  /** Name resolution, connection and TLS handshake. Default 8 s. */
  readonly connectTimeoutMs?: number | undefined;
}
