import { setImmediate as turn } from 'node:timers/promises';
import { type CheckedOutlet, GIVEN_UP } from './checked-outlet.ts';
import type { Connection, StreamTransport, TransportFailure } from './transport.ts';

/**
 * A stream that knows whether everything since the last check went down one connection that still lives. One that
 * breaks between two checks with nothing written is replaced without a word.
 *
 * A good check means: the kernel has all of it, and the peer has neither closed nor reset. A peer, or a way there, that
 * dies silently is noticed only when the kernel's buffer is full; no stream without answers can do better.
 */
export class CheckedStream implements CheckedOutlet {
  readonly address: string;
  readonly #transport: StreamTransport;
  #connection: Connection | undefined;
  /** Something was written since the last check. */
  #dirty = false;

  constructor(transport: StreamTransport) {
    this.address = transport.address;
    this.#transport = transport;
  }

  async write(frames: readonly Uint8Array[], signal?: AbortSignal): Promise<TransportFailure | undefined> {
    const broken = this.#broken();
    if (broken !== undefined) return this.#forget(broken);
    if (signal?.aborted) return this.#forget(GIVEN_UP);
    if (this.#connection === undefined) {
      const opening = await this.#transport.open(signal === undefined ? {} : { signal });
      if (opening.kind === 'failed') return opening.failure;
      this.#connection = opening.connection;
    }
    this.#dirty = true;
    const failure = await abortableWrite(this.#connection, Buffer.concat(frames), signal);
    return failure && this.#forget(failure);
  }

  async check(): Promise<TransportFailure | undefined> {
    // What the peer has answered by now, an end or a reset, is heard first.
    await turn();
    await turn();
    const broken = this.#broken();
    if (broken !== undefined) return this.#forget(broken);
    this.#dirty = false;
    return undefined;
  }

  async close(deadline: AbortSignal): Promise<void> {
    const connection = this.#connection;
    this.#connection = undefined;
    await connection?.close(deadline);
  }

  /** A connection that is over: the reason, when something would be lost by it. */
  #broken(): TransportFailure | undefined {
    const end = this.#connection?.ended;
    if (end === undefined) return undefined;
    this.#connection = undefined;
    return this.#dirty ? end : undefined;
  }

  #forget(failure: TransportFailure): TransportFailure {
    this.#connection?.destroy();
    this.#connection = undefined;
    this.#dirty = false;
    return failure;
  }
}

async function abortableWrite(
  connection: Connection,
  bytes: Uint8Array,
  signal: AbortSignal | undefined,
): Promise<TransportFailure | undefined> {
  const onAbort = () => connection.destroy();
  signal?.addEventListener('abort', onAbort, { once: true });
  const failure = await connection.write(bytes);
  signal?.removeEventListener('abort', onAbort);
  return failure;
}
