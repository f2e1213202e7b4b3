import { setImmediate as turn } from 'node:timers/promises';
import { type Clock, systemClock } from '../runtime/clock.ts';
import { ABORTED, type CheckedOutlet, type CheckedOutletOptions } from './checked-outlet.ts';
import type { Connection, ConnectionEnd, StreamTransport, TransportFailure } from './transport.ts';

/** Minimum time that the first check of a connection waits for its end. */
const PROBATION_MS = 200;
const LONGEST_PROBATION_MS = 10_000;
/** Time that each check waits after the last write: a round trip, estimated by the time to connect. */
const SHORTEST_SETTLING_MS = 5;
const LONGEST_SETTLING_MS = 1_000;
/** An orderly end within this time after a write may be a response to it. */
const ANSWER_MS = 1_000;

interface Link {
  readonly connection: Connection;
  readonly openedMs: number;
  readonly settlingMs: number;
  wroteMs: number;
  checked: boolean;
}

/**
 * A stream that checks whether everything since the last check was written to one connection that is still
 * open. A connection that ends between two checks without writes is replaced silently.
 *
 * The kernel accepts bytes before their receiver rejects them: a proxy without a back end accepts and then
 * resets, and with TLS 1.3 a client with a rejected certificate learns of it after its first write. So a
 * check waits for a round trip, and the first check of a connection slightly longer. An end even later,
 * shortly after a successful check, is reported by `onTooLate`, and checks of later connections wait long
 * enough to detect the same.
 *
 * A successful check means that the kernel accepted all bytes and that the peer has neither closed nor reset
 * so far. A peer or network that fails silently is detected when the buffer of the kernel is full; this is
 * the limit of any stream without acknowledgements.
 */
export class CheckedStream implements CheckedOutlet {
  readonly address: string;
  readonly #transport: StreamTransport;
  readonly #clock: Clock;
  readonly #onTooLate: (failure: TransportFailure) => void;
  #link: Link | undefined;
  /** Bytes were written since the last check. */
  #dirty = false;
  #probationMs = PROBATION_MS;
  #settling: AbortController | undefined;

  constructor(
    transport: StreamTransport,
    { clock = systemClock, onTooLate = () => {} }: CheckedOutletOptions = {},
  ) {
    this.address = transport.address;
    this.#transport = transport;
    this.#clock = clock;
    this.#onTooLate = onTooLate;
  }

  async write(frames: readonly Uint8Array[], signal?: AbortSignal): Promise<TransportFailure | undefined> {
    const broken = this.#broken();
    if (broken !== undefined) return this.#forget(broken);
    if (signal?.aborted) return this.#forget(ABORTED);
    const opened = this.#link ?? (await this.#open(signal));
    if ('reason' in opened) return opened;
    this.#dirty = true;
    const failure = await abortableWrite(opened.connection, Buffer.concat(frames), signal);
    opened.wroteMs = this.#clock.monotonicMs();
    return failure && this.#forget(failure);
  }

  async check(signal?: AbortSignal): Promise<TransportFailure | undefined> {
    const link = this.#link;
    if (!this.#dirty || link === undefined) return undefined;
    // Handles an end or a reset by the peer first.
    await turn();
    await turn();
    await this.#settle(link, signal);
    const broken = this.#broken();
    if (broken !== undefined) return this.#forget(broken);
    if (signal?.aborted) return this.#forget(ABORTED);
    if (this.#clock.monotonicMs() - link.openedMs >= LONGEST_PROBATION_MS) this.#probationMs = PROBATION_MS;
    link.checked = true;
    this.#dirty = false;
    return undefined;
  }

  async close(deadline: AbortSignal): Promise<void> {
    const link = this.#link;
    this.#link = undefined;
    await link?.connection.close(deadline);
  }

  async #open(signal: AbortSignal | undefined): Promise<Link | TransportFailure> {
    const beganMs = this.#clock.monotonicMs();
    const opening = await this.#transport.open(signal === undefined ? {} : { signal });
    if (opening.kind === 'failed') return opening.failure;
    const { connection } = opening;
    const openedMs = this.#clock.monotonicMs();
    const settlingMs = Math.min(Math.max(openedMs - beganMs, SHORTEST_SETTLING_MS), LONGEST_SETTLING_MS);
    const link = { connection, openedMs, settlingMs, wroteMs: openedMs, checked: false };
    this.#link = link;
    void connection.whenEnded.then((end) => this.#onEnded(link, end));
    return link;
  }

  /** Waits for a possible response to the written bytes, or until the connection ends. */
  async #settle(link: Link, signal: AbortSignal | undefined): Promise<void> {
    const now = this.#clock.monotonicMs();
    const answerMs = link.wroteMs + link.settlingMs;
    const untilMs = link.checked ? answerMs : Math.max(answerMs, link.openedMs + this.#probationMs);
    if (untilMs <= now || link.connection.ended !== undefined) return;
    const settling = new AbortController();
    this.#settling = settling;
    const any = signal === undefined ? settling.signal : AbortSignal.any([settling.signal, signal]);
    await this.#clock.sleep(untilMs - now, any).catch(() => {});
    this.#settling = undefined;
  }

  #onEnded(link: Link, end: ConnectionEnd): void {
    this.#settling?.abort();
    if (this.#link !== link || this.#dirty) return;
    this.#link = undefined;
    const now = this.#clock.monotonicMs();
    if (end.orderly && now - link.wroteMs >= ANSWER_MS) return;
    this.#probationMs = Math.min(
      Math.max(this.#probationMs, 2 * (now - link.openedMs)),
      LONGEST_PROBATION_MS,
    );
    this.#onTooLate(end);
  }

  /** Releases an ended connection; returns the reason if bytes may be lost. */
  #broken(): TransportFailure | undefined {
    return this.#dirty ? this.#link?.connection.ended : undefined;
  }

  #forget(failure: TransportFailure): TransportFailure {
    const link = this.#link;
    this.#link = undefined;
    this.#dirty = false;
    link?.connection.destroy();
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
