import type { ConnectionStream } from './connection-stream.ts';
import type { FloodGuard } from './flood-guard.ts';
import { peerFault } from './peer-fault.ts';

/** The streams of one connection, and what is known about those that are over. */
export class StreamTable {
  /** Streams that are not over. */
  readonly open = new Map<number, ConnectionStream>();
  readonly #isServer: boolean;
  readonly #guard: FloodGuard;
  /** Streams that this side has reset: frames of the peer may be under way. The oldest first. */
  readonly #resetIds = new Set<number>();
  /** The next stream of a client. */
  #nextId = 1;
  #lastPeerId = 0;

  constructor(role: 'client' | 'server', guard: FloodGuard) {
    this.#isServer = role === 'server';
    this.#guard = guard;
  }

  /** The newest stream of the peer. */
  get lastPeerId(): number {
    return this.#lastPeerId;
  }

  get hasNextId(): boolean {
    return this.#nextId <= MAX_STREAM_ID;
  }

  /** The number of a new stream of a client. */
  takeNextId(): number {
    const id = this.#nextId;
    this.#nextId += 2;
    return id;
  }

  /** True: the peer opens this stream now. */
  takePeerId(id: number): boolean {
    if (!this.#isServer || id <= this.#lastPeerId) return false;
    this.#lastPeerId = id;
    return true;
  }

  /** This side has reset the stream. */
  rememberReset(id: number): void {
    this.#resetIds.add(id);
    if (this.#resetIds.size <= MAX_RESET_IDS) return;
    const [oldest] = this.#resetIds;
    if (oldest !== undefined) this.#resetIds.delete(oldest);
  }

  /** Frames of a stream that this side has reset are ignored; others of closed streams are errors. Throws `Http2Error`. */
  checkClosed(id: number, what: string): void {
    this.checkNotIdle(id, what);
    if (!this.#resetIds.has(id)) throw peerFault.closedStream(what);
    this.#guard.cheap('frames of closed streams');
  }

  /** Throws `Http2Error`. */
  checkNotIdle(id: number, what: string): void {
    const isKnown = this.#isServer ? id <= this.#lastPeerId : id < this.#nextId;
    if (id % 2 === 0 || !isKnown) throw peerFault.sent(`${what} on the stream ${id}, which was not opened`);
  }
}

const MAX_STREAM_ID = 2 ** 31 - 1;
const MAX_RESET_IDS = 256;
