/** The part of an HTTP/2 connection that has windows. */
export interface WindowedConnection {
  /** What the peer may send on a stream: the older, larger window until it has acknowledged a smaller one. */
  readonly permittedStreamBytes: number;
  setWindows(streamBytes: number, connectionBytes: number): void;
}

/**
 * The receive window of one connection, and the bytes that the connection holds. A collector has one call on its connection, so
 * the window of the call is the limit of the connection; a peer that uses several calls to make this side hold more exceeds
 * it. A window that became smaller is returned when the peer has acknowledged it and the bytes above it are processed.
 */
export class WindowShare {
  readonly #host: WindowShareHost;
  readonly #baseBytes: number;
  #connection: WindowedConnection | undefined;
  #windowBytes: number;
  #permittedBytes: number;
  #heldBytes = 0;
  #isUsed = false;
  state: 'base' | 'waiting' | 'wide' = 'base';

  constructor(baseBytes: number, host: WindowShareHost) {
    this.#host = host;
    this.#baseBytes = baseBytes;
    this.#windowBytes = baseBytes;
    this.#permittedBytes = baseBytes;
  }

  get windowBytes(): number {
    return this.#windowBytes;
  }

  /** The most that the connection holds, as long as nothing changes. */
  get reservedBytes(): number {
    return Math.max(this.#windowBytes, this.#permittedBytes, this.#heldBytes);
  }

  /** The connection has begun with `windowBytes`. */
  attach(connection: WindowedConnection): void {
    this.#connection = connection;
  }

  resize(bytes: number): void {
    this.#windowBytes = bytes;
    // The first settings of a connection are not acknowledged. Its peer has no larger window than they offer: an honest one
    // sends no batch before it has them.
    this.#permittedBytes = Math.max(this.#permittedBytes, bytes);
    if (this.#connection === undefined) this.#permittedBytes = bytes;
    this.#host.changed(this);
    this.#connection?.setWindows(bytes, connectionWindow(bytes));
  }

  /** The peer has acknowledged the settings. */
  acknowledged(): void {
    if (this.#connection === undefined) return;
    this.#permittedBytes = this.#connection.permittedStreamBytes;
    this.#host.changed(this);
  }

  /** A message of this size has arrived in part. A large one makes the connection request a wide window. */
  receives(messageBytes: number): void {
    if (messageBytes <= SMALL_MESSAGE_BYTES || messageBytes <= this.#baseBytes) return;
    this.#isUsed = true;
    if (this.state === 'base') this.#host.wanted(this);
  }

  /** Whether the window was used since the last query. */
  takeUse(): boolean {
    const isUsed = this.#isUsed || this.#heldBytes > this.#baseBytes;
    this.#isUsed = false;
    return isUsed;
  }

  /** The connection holds more bytes, or less. False: more than its window. */
  hold(changeBytes: number): boolean {
    const limitBytes = this.reservedBytes;
    this.#heldBytes += changeBytes;
    if (this.#heldBytes > limitBytes) return false;
    if (this.reservedBytes !== limitBytes) this.#host.changed(this);
    return true;
  }

  close(): void {
    this.#host.closed(this);
  }
}

/** It comes through a small window soon enough. */
const SMALL_MESSAGE_BYTES = 8 * 1024;

/** The default of the protocol cannot be reduced. */
const MIN_CONNECTION_BYTES = 65_535;

/** The window of a connection does not limit one stream. */
export function connectionWindow(streamBytes: number): number {
  return Math.max(MIN_CONNECTION_BYTES, streamBytes * 2);
}

export interface WindowShareHost {
  /** `reservedBytes` may have changed. */
  changed(share: WindowShare): void;
  /** The connection could use a wider window. */
  wanted(share: WindowShare): void;
  closed(share: WindowShare): void;
}
