import { type RelpAnswer, RelpClientSession } from '../protocols/relp/client-session.ts';
import { type Clock, systemClock } from '../runtime/clock.ts';
import { ABORTED } from './checked-outlet.ts';
import type { Connection, StreamTransport, TransportFailure } from './transport.ts';
import { timedOut } from './transport-failure.ts';

/**
 * A RELP client for callers with a cursor: it keeps no messages. `deliver` sends messages and waits for the
 * answer to each; after a failure, the caller sends those without an answer again.
 *
 *     deliver -> connect -> open -> [ fill the window, write, wait for an answer ]* -> all answered
 *                   ^                                      |
 *                   '------- transaction numbers used up --'
 *
 * An idle connection that ended is replaced silently. One call at a time.
 */
export class RelpClient {
  readonly address: string;
  readonly #transport: StreamTransport;
  readonly #options: RelpClientOptions;
  #link: Link | undefined;

  constructor(transport: StreamTransport, options: RelpClientOptions) {
    this.address = transport.address;
    this.#transport = transport;
    this.#options = options;
  }

  /**
   * Sends the messages in order, at most a window ahead of their answers. `onAnswer` is called once for each
   * answered message, in any order, with its number from 0. Returns undefined when all are answered.
   */
  async deliver(
    messages: Iterator<Uint8Array>,
    onAnswer: (index: number, answer: RelpAnswer) => void,
    signal?: AbortSignal,
  ): Promise<TransportFailure | undefined> {
    const source = { messages, next: messages.next(), sent: 0 };
    while (source.next.done !== true) {
      const before = source.sent;
      const link = await this.#open(signal);
      if ('reason' in link) return link;
      const firstIndex = source.sent - link.session.sent;
      link.onAnswer = (index, answer) => onAnswer(firstIndex + index, answer);
      const failure = await this.#exchange(link, source, signal);
      if (failure !== undefined) this.#drop(link);
      else if (link.session.isExhausted || link.session.isEnded) await this.#end(link);
      // A server may close a session between two messages, but not each session before the first one.
      const isClosedInOrder = link.session.isEnded && link.session.unanswered === 0 && source.sent > before;
      if (failure !== undefined && !isClosedInOrder) return failure;
    }
    return undefined;
  }

  /** Connects and opens a session without a message; returns undefined when that works. */
  async connect(signal?: AbortSignal): Promise<TransportFailure | undefined> {
    const link = await this.#open(signal);
    return 'reason' in link ? link : undefined;
  }

  /** Ends the session in order, until the deadline. */
  async close(deadline: AbortSignal): Promise<void> {
    if (this.#link !== undefined) await this.#end(this.#link, deadline);
  }

  async #exchange(
    link: Link,
    source: Source,
    signal: AbortSignal | undefined,
  ): Promise<TransportFailure | undefined> {
    const { session } = link;
    for (;;) {
      if (signal?.aborted) return ABORTED;
      const frames = fill(session, source);
      if (frames.length > 0) {
        const failure = await this.#write(link, Buffer.concat(frames), signal);
        if (failure !== undefined) return link.failure ?? failure;
      } else if (session.unanswered === 0) {
        return source.next.done === true || session.isExhausted ? undefined : link.failure;
      } else if (link.failure !== undefined) {
        return link.failure;
      } else {
        await this.#progress(link, signal);
      }
    }
  }

  async #open(signal: AbortSignal | undefined): Promise<Link | TransportFailure> {
    if (this.#link !== undefined) {
      if (this.#link.failure === undefined) return this.#link;
      this.#drop(this.#link);
    }
    const link = await this.#connect(signal);
    if ('reason' in link) return link;
    const { connection, session } = link;
    const failure = await this.#write(link, session.open(), signal);
    const { clock = systemClock, openTimeoutMs = DEFAULT_OPEN_TIMEOUT_MS } = this.#options;
    const cancel = clock.after(openTimeoutMs, () =>
      fail(link, timedOut('no RELP answer to open', openTimeoutMs)),
    );
    while (!session.isOpen && link.failure === undefined && !signal?.aborted) await woken(link, signal);
    cancel();
    if (session.isOpen) {
      this.#link = link;
      return link;
    }
    connection.destroy();
    return link.failure ?? failure ?? ABORTED;
  }

  async #connect(signal: AbortSignal | undefined): Promise<Link | TransportFailure> {
    const session = new RelpClientSession(
      {
        opened: () => wake(link),
        answered: (index, answer) => {
          link.onAnswer(index, answer);
          wake(link);
        },
        ended: () => fail(link, { reason: 'the receiver closed the session (serverclose)' }),
      },
      this.#options,
    );
    const onData = (bytes: Buffer) => {
      const fault = link.failure === undefined ? session.push(bytes) : undefined;
      if (fault !== undefined) fail(link, { reason: `RELP: ${fault.reason}` });
    };
    const link: Partial<Link> & Omit<Link, 'connection'> = {
      session,
      onAnswer: () => {},
      wake: () => {},
      failure: undefined,
    };
    const opening = await this.#transport.open(signal === undefined ? { onData } : { onData, signal });
    if (opening.kind === 'failed') return opening.failure;
    const { connection } = opening;
    void connection.whenEnded.then((end) => fail(link, end));
    return Object.assign(link, { connection });
  }

  /** Waits for an answer or the end. Without both, the receiver is stuck. */
  async #progress(link: Link, signal: AbortSignal | undefined): Promise<void> {
    const { clock = systemClock, answerTimeoutMs = DEFAULT_ANSWER_TIMEOUT_MS } = this.#options;
    const cancel = clock.after(answerTimeoutMs, () =>
      fail(link, timedOut('no RELP answer', answerTimeoutMs)),
    );
    await woken(link, signal);
    cancel();
  }

  async #write(
    { connection }: Link,
    bytes: Uint8Array,
    signal: AbortSignal | undefined,
  ): Promise<TransportFailure | undefined> {
    const onAbort = () => connection.destroy();
    signal?.addEventListener('abort', onAbort, { once: true });
    const failure = await connection.write(bytes);
    signal?.removeEventListener('abort', onAbort);
    return failure;
  }

  /** Sends `close` and waits for its response, if nothing is unanswered. */
  async #end(link: Link, deadline?: AbortSignal): Promise<void> {
    const { clock = systemClock } = this.#options;
    const { session, connection } = link;
    if (session.isOpen && session.unanswered === 0 && link.failure === undefined && !deadline?.aborted) {
      const failure = await this.#write(link, session.close(), deadline);
      const cancel = clock.after(CLOSE_TIMEOUT_MS, () => fail(link, ABORTED));
      while (failure === undefined && link.failure === undefined && !deadline?.aborted) {
        await woken(link, deadline);
      }
      cancel();
    }
    connection.destroy();
    this.#forget(link);
  }

  #drop(link: Link): void {
    link.connection.destroy();
    this.#forget(link);
  }

  #forget(link: Link): void {
    if (this.#link === link) this.#link = undefined;
  }
}

export interface RelpClientOptions {
  readonly softwareVersion: string;
  /** Maximum number of unanswered messages. Default 128. */
  readonly window?: number | undefined;
  readonly clock?: Clock | undefined;
  /** Maximum wait for the answer to `open`. Default 10 s. */
  readonly openTimeoutMs?: number | undefined;
  /** Maximum wait without any answer while messages are unanswered. Default 90 s. */
  readonly answerTimeoutMs?: number | undefined;
  readonly maxTxnr?: number | undefined;
}

export const DEFAULT_ANSWER_TIMEOUT_MS = 90_000;

const DEFAULT_OPEN_TIMEOUT_MS = 10_000;
const CLOSE_TIMEOUT_MS = 5_000;
const WRITE_BYTES = 64 * 1024;

interface Link {
  readonly connection: Connection;
  readonly session: RelpClientSession;
  failure: TransportFailure | undefined;
  onAnswer: (index: number, answer: RelpAnswer) => void;
  wake: () => void;
}

interface Source {
  readonly messages: Iterator<Uint8Array>;
  next: IteratorResult<Uint8Array>;
  sent: number;
}

/** The frames of the next messages, as far as the window has room. */
function fill(session: RelpClientSession, source: Source): Buffer[] {
  const frames: Buffer[] = [];
  for (let bytes = 0; source.next.done !== true && session.canSend && bytes < WRITE_BYTES; ) {
    const frame = session.message(source.next.value);
    frames.push(frame);
    bytes += frame.length;
    source.sent++;
    source.next = source.messages.next();
  }
  return frames;
}

type Waiter = Pick<Link, 'failure' | 'wake'>;

function fail(link: Waiter, failure: TransportFailure): void {
  link.failure ??= failure;
  link.wake();
}

function wake(link: Waiter): void {
  link.wake();
}

/** Resolves at the next answer, the end or the abortion. */
async function woken(link: Waiter, signal: AbortSignal | undefined): Promise<void> {
  if (signal?.aborted || link.failure !== undefined) return;
  await new Promise<void>((resolve) => {
    const done = () => {
      signal?.removeEventListener('abort', done);
      resolve();
    };
    link.wake = done;
    signal?.addEventListener('abort', done, { once: true });
  });
}
