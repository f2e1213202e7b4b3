import { setImmediate as turn } from 'node:timers/promises';
import { type Clock, systemClock } from '../runtime/clock.ts';
import { type CheckedOutlet, type CheckedOutletOptions, GIVEN_UP } from './checked-outlet.ts';
import type { Connection, ConnectionEnd, StreamTransport, TransportFailure } from './transport.ts';

/** How long the first check of a connection waits for its end, unless experience says longer. */
const PROBATION_MS = 200;
const LONGEST_PROBATION_MS = 10_000;
/** How long each check waits after the last write: a round trip, for which the time it took to connect is a fair guess. */
const SHORTEST_SETTLING_MS = 5;
const LONGEST_SETTLING_MS = 1_000;
/** An end in order that comes sooner after a write than this may be an answer to it. */
const ANSWER_MS = 1_000;

interface Link {
  readonly connection: Connection;
  readonly openedMs: number;
  readonly settlingMs: number;
  wroteMs: number;
  checked: boolean;
}

/**
 * A stream that knows whether everything since the last check went down one connection that still lives. One that
 * breaks between two checks with nothing written is replaced without a word.
 *
 * A kernel takes bytes long before their receiver refuses them: a proxy without a back end accepts and then resets, and
 * with TLS 1.3 a client whose certificate is refused hears of it after its first write. So a check waits for a round trip,
 * and the first check of a connection a little longer. If an end comes even later, right after a good check, it can only
 * be told of (`onTooLate`), and the checks of the connections that follow wait long enough to see the same again.
 *
 * A good check means: the kernel has all of it, and in that time the peer has neither closed nor reset. A peer, or a way
 * there, that dies silently is noticed when the kernel's buffer is full; no stream without answers can do better.
 */
export class CheckedStream implements CheckedOutlet {
  readonly address: string;
  readonly #transport: StreamTransport;
  readonly #clock: Clock;
  readonly #onTooLate: (failure: TransportFailure) => void;
  #link: Link | undefined;
  /** Something was written since the last check. */
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
    if (signal?.aborted) return this.#forget(GIVEN_UP);
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
    // What the peer has answered by now, an end or a reset, is heard first.
    await turn();
    await turn();
    await this.#settle(link, signal);
    const broken = this.#broken();
    if (broken !== undefined) return this.#forget(broken);
    if (signal?.aborted) return this.#forget(GIVEN_UP);
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

  /** Waits as long as an answer to what was written may take, or until the connection ends. */
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

  /** A connection that is over: the reason, when something would be lost by it. */
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
