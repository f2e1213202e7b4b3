import type { Cancel, Clock } from '../../runtime/clock.ts';
import type { JournalChannel } from './journal-channel.ts';

/**
 * Wakes the publisher for channels with new records. Answers to a RELP client need a commit for each of its windows, and
 * a batch of a commit costs as much as one of ten commits: it is sent, stored, flushed and delivered. So a channel that
 * was woken a moment ago waits, unless much has been committed.
 */
export class StreamWakes {
  readonly #clock: Clock;
  readonly #wake: (channel: JournalChannel) => void;
  /** The committed bytes of channels that wait. */
  readonly #waiting = new Map<JournalChannel, number>();
  /** Channels that were woken since the timer began. */
  #recent = new Set<JournalChannel>();
  #cancel: Cancel | undefined;

  constructor(clock: Clock, wake: (channel: JournalChannel) => void) {
    this.#clock = clock;
    this.#wake = wake;
  }

  /** Records of the channel were committed, or it was closed. */
  add(channel: JournalChannel, bytes: number): void {
    const waiting = (this.#waiting.get(channel) ?? 0) + bytes;
    const isDue = channel.closed || waiting >= WAKE_FROM_BYTES || !this.#recent.has(channel);
    if (!isDue) this.#waiting.set(channel, waiting);
    else {
      this.#waiting.delete(channel);
      this.#recent.add(channel);
      this.#wake(channel);
    }
    this.#cancel ??= this.#clock.after(WAKE_EVERY_MS, () => this.#wakeWaiting());
  }

  /** Wakes all that wait. */
  stop(): void {
    this.#cancel?.();
    this.#wakeWaiting();
    this.#cancel?.();
    this.#cancel = undefined;
  }

  #wakeWaiting(): void {
    const channels = [...this.#waiting.keys()];
    this.#waiting.clear();
    this.#recent = new Set(channels);
    this.#cancel = undefined;
    if (channels.length > 0) this.#cancel = this.#clock.after(WAKE_EVERY_MS, () => this.#wakeWaiting());
    for (const channel of channels) this.#wake(channel);
  }
}

const WAKE_EVERY_MS = 10;
const WAKE_FROM_BYTES = 256 * 1024;
