import { asProblem, isAbort, type Problem } from '../api/problem.ts';
import { entryBytes, entryId, type LogEntry } from '../records/log-entry.ts';
import { EventStreamParser, type StreamEvent } from './event-stream.ts';
import { Rate } from './rate.ts';
import { RingBuffer } from './ring-buffer.ts';

export type FeedState = 'connecting' | 'live' | 'waiting';

export interface TailFeedOptions {
  /** Opens the stream; `lastId` is the place to continue after. Rejects with Problem. */
  readonly open: (lastId: string | undefined, signal: AbortSignal) => Promise<AsyncIterable<string>>;
  readonly onChange: () => void;
  readonly now?: () => number;
  readonly sleep?: (ms: number, signal: AbortSignal) => Promise<void>;
}

const MAX_ENTRIES = 10_000;
const MAX_BYTES = 32 * 1024 * 1024;
/** More than a page of the aggregator, which is the most that a new connection repeats. */
const MAX_REMEMBERED = 4000;
const FIRST_RETRY_MS = 1000;
const MAX_RETRY_MS = 10_000;

/**
 * Live records in bounded memory. A connection that breaks is opened again at the last id that was received: no record is
 * left out, and one that is sent again is shown once. EventSource cannot do this: it never connects again after an answer such as
 * 503, and then its last id is lost.
 */
export class TailFeed {
  readonly #options: TailFeedOptions;
  readonly #abort = new AbortController();
  readonly #ring = new RingBuffer<LogEntry>({
    maxItems: MAX_ENTRIES,
    maxBytes: MAX_BYTES,
    sizeOf: entryBytes,
  });
  readonly #remembered = new Set<string>();
  readonly #rate: Rate;
  #lastId: string | undefined;
  #state: FeedState = 'connecting';
  #problem: Problem | undefined;
  #skipped = 0;
  #cleared = 0;

  constructor(options: TailFeedOptions) {
    this.#options = options;
    this.#rate = new Rate(this.#now());
  }

  get state(): FeedState {
    return this.#state;
  }

  get problem(): Problem | undefined {
    return this.#problem;
  }

  /** Records that the aggregator left out because more came than it sends. */
  get skipped(): number {
    return this.#skipped;
  }

  /** The number of the first entry that is kept; the first one ever received is 0. */
  get base(): number {
    return this.#cleared + this.#ring.discarded;
  }

  /** The number after the last entry. */
  get end(): number {
    return this.base + this.#ring.length;
  }

  get entries(): readonly LogEntry[] {
    return this.#ring.toArray();
  }

  ratePerSecond(): number {
    return this.#rate.perSecond(this.#now());
  }

  clear(): void {
    this.#cleared = this.end;
    this.#ring.clear();
    this.#skipped = 0;
    this.#options.onChange();
  }

  close(): void {
    this.#abort.abort();
  }

  /** Resolves after `close`. */
  async run(): Promise<void> {
    const { signal } = this.#abort;
    let retryMs = FIRST_RETRY_MS;
    while (!signal.aborted) {
      const isReceived = await this.#connect();
      if (signal.aborted) return;
      retryMs = isReceived ? FIRST_RETRY_MS : Math.min(retryMs * 2, MAX_RETRY_MS);
      await this.#sleep(retryMs).catch(() => {});
    }
  }

  /** True if the stream was open. */
  async #connect(): Promise<boolean> {
    let isOpen = false;
    try {
      const pieces = await this.#options.open(this.#lastId, this.#abort.signal);
      isOpen = true;
      this.#change('live', undefined);
      await this.#read(pieces);
      this.#change('waiting', undefined);
    } catch (error) {
      if (this.#abort.signal.aborted || isAbort(error)) return isOpen;
      this.#change('waiting', isOpen ? undefined : asProblem(error));
    }
    return isOpen;
  }

  async #read(pieces: AsyncIterable<string>): Promise<void> {
    const parser = new EventStreamParser();
    for await (const piece of pieces) {
      const events = parser.push(piece);
      for (const event of events) this.#receive(event);
      // After the events before it are kept.
      this.#lastId = parser.lastId ?? this.#lastId;
      if (events.length > 0) this.#options.onChange();
    }
  }

  #receive({ name, data }: StreamEvent): void {
    if (name === 'skipped') {
      const { count } = JSON.parse(data) as { readonly count: number };
      this.#skipped += count;
      this.#rate.add(count, this.#now());
    } else if (name === 'log') this.#add(JSON.parse(data) as LogEntry);
  }

  #add(entry: LogEntry): void {
    const id = entryId(entry);
    if (this.#remembered.has(id)) return;
    this.#remembered.add(id);
    if (this.#remembered.size > MAX_REMEMBERED) {
      const [oldest] = this.#remembered;
      if (oldest !== undefined) this.#remembered.delete(oldest);
    }
    this.#ring.push(entry);
    this.#rate.add(1, this.#now());
  }

  #change(state: FeedState, problem: Problem | undefined): void {
    this.#state = state;
    this.#problem = problem;
    this.#options.onChange();
  }

  #now(): number {
    return this.#options.now?.() ?? Date.now();
  }

  #sleep(ms: number): Promise<void> {
    const { sleep = sleepInBrowser } = this.#options;
    return sleep(ms, this.#abort.signal);
  }
}

function sleepInBrowser(ms: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const timer = setTimeout(resolve, ms);
    signal.addEventListener('abort', () => {
      clearTimeout(timer);
      resolve();
    });
  });
}
