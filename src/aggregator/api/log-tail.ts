import type { TailRequest } from '../../logstore/logs/log-requests.ts';
import type { LogSearch } from '../../logstore/logs/log-search.ts';
import type { TailPage, TailPlace } from '../../logstore/logs/tail-page.ts';
import { SqlError } from '../../logstore/sql/sql-database.ts';
import { untilAborted } from '../../runtime/async/until-aborted.ts';
import type { Clock } from '../../runtime/clock.ts';
import type { HttpAnswer, HttpRequest, HttpSink } from '../../runtime/http/http-contract.ts';
import { HttpError } from '../../runtime/http/http-error.ts';
import { busy } from './api-error.ts';
import type { ApiEvents } from './events.ts';
import { formatTailPlace, parseTailPlace } from './tail-place.ts';

const MAX_LISTENERS = 16;
const POLL_MS = 500;
const HEARTBEAT_MS = 15_000;
const RECONNECT_MS = 2000;
/** So much may wait in our memory for one listener, and one entry more. */
const MAX_WAITING_BYTES = 256 * 1024;
/** So long one page waits for a listener to make room before the rest of it is left out. */
const ROOM_MS = 500;
/** Then it is not a hiccup: the listener comes again with its place, and is told what is wrong. */
const MAX_FAILED_POLLS = 10;

/**
 * Live tail as server-sent events. The store is asked for what is new twice a second while somebody listens.
 *
 * An event has an id only when it is the last of what the store gave at once: that is where one can go on. To the
 * protocol an event without an id keeps the one before; who comes back after half of a page gets that page again.
 *
 * A listener that reads slowly is not asked for until it has read what it was sent; what was stored meanwhile and is more
 * than a page is left out, which it is told. One that reads nothing is cut off by the server's timeout.
 */
export class LogTail {
  readonly #clock: Clock;
  readonly #events: ApiEvents;
  #listeners = 0;

  constructor({ clock, events }: { readonly clock: Clock; readonly events: ApiEvents }) {
    this.#clock = clock;
    this.#events = events;
  }

  /** Rejects with HttpError, or what the search rejects with. */
  async open(search: LogSearch, filter: TailRequest, request: HttpRequest): Promise<HttpAnswer> {
    const place = placeOf(request);
    this.#enter(request.signal);
    const first = await search.tail(filter, place);
    const listener = new Listener({
      clock: this.#clock,
      events: this.#events,
      first,
      poll: (after) => search.tail(filter, after),
    });
    return {
      contentType: 'text/event-stream; charset=utf-8',
      body: (sink, signal) => listener.follow(sink, signal),
    };
  }

  /** The place is free again when the exchange is over, however it ends. */
  #enter(signal: AbortSignal): void {
    if (this.#listeners >= MAX_LISTENERS) {
      throw busy(`${MAX_LISTENERS} listeners follow already: come again when one has gone.`);
    }
    if (signal.aborted) throw busy('The listener has gone.');
    this.#events.listening(++this.#listeners);
    signal.addEventListener('abort', () => this.#events.listening(--this.#listeners), { once: true });
  }
}

function placeOf({ headers }: HttpRequest): TailPlace | undefined {
  const id = headers['last-event-id'];
  if (id === undefined || id === '') return undefined;
  const place = typeof id === 'string' ? parseTailPlace(id) : undefined;
  if (place !== undefined) return place;
  const problems = [{ path: 'Last-Event-ID', message: 'expected the id of an event' }];
  throw new HttpError(400, 'invalid-request', 'The place to go on from cannot be used.', { problems });
}

interface ListenerOptions {
  readonly clock: Clock;
  readonly events: ApiEvents;
  readonly first: TailPage;
  readonly poll: (place: TailPlace) => Promise<TailPage>;
}

class Listener {
  readonly #options: ListenerOptions;
  #place: TailPlace;
  #sentId: string | undefined;
  #heardMs: number;

  constructor(options: ListenerOptions) {
    this.#options = options;
    this.#place = options.first.place;
    this.#heardMs = options.clock.monotonicMs();
  }

  /** Rejects when the signal aborts; resolves when the store is gone. */
  async follow(sink: HttpSink, signal: AbortSignal): Promise<void> {
    const { clock, first, poll } = this.#options;
    const isNews = first.entries.length > 0 || first.skipped > 0;
    sink.write(`retry: ${RECONNECT_MS}\n${isNews ? '' : this.#newId()}\n`);
    await this.#writePage(first, sink);
    let failedPolls = 0;
    while (failedPolls < MAX_FAILED_POLLS) {
      await clock.sleep(POLL_MS, signal);
      if (sink.waitingBytes > 0) continue;
      this.#writeHeartbeat(sink);
      try {
        const page = await untilAborted(poll(this.#place), signal);
        if (page === 'aborted') return;
        this.#place = page.place;
        await this.#writePage(page, sink);
        failedPolls = 0;
      } catch (error) {
        if (!(error instanceof SqlError)) throw error;
        failedPolls++;
      }
    }
  }

  /** What the store left out was older than what it gave. */
  async #writePage({ entries, skipped }: TailPage, sink: HttpSink): Promise<void> {
    if (skipped > 0) this.#writeSkipped(sink, { count: skipped, isLast: entries.length === 0 });
    for (const [at, entry] of entries.entries()) {
      if (!(await this.#hasRoom(sink))) {
        this.#writeSkipped(sink, { count: entries.length - at, isLast: true });
        return;
      }
      this.#writeEvent(sink, { name: 'log', data: entry, isLast: at === entries.length - 1 });
    }
  }

  #writeSkipped(
    sink: HttpSink,
    { count, isLast }: { readonly count: number; readonly isLast: boolean },
  ): void {
    this.#options.events.skipped(count);
    this.#writeEvent(sink, { name: 'skipped', data: { count }, isLast });
  }

  #writeEvent(
    sink: HttpSink,
    { name, data, isLast }: { readonly name: string; readonly data: object; readonly isLast: boolean },
  ): void {
    sink.write(`event: ${name}\n${isLast ? this.#newId() : ''}data: ${JSON.stringify(data)}\n\n`);
    this.#heardMs = this.#options.clock.monotonicMs();
  }

  /** Shows both sides that the other is there, and moves the place while nothing fits the filter. */
  #writeHeartbeat(sink: HttpSink): void {
    const nowMs = this.#options.clock.monotonicMs();
    if (nowMs - this.#heardMs < HEARTBEAT_MS) return;
    this.#heardMs = nowMs;
    sink.write(`: still here\n${this.#newId()}\n`);
  }

  /** A line; empty when the listener has it already. */
  #newId(): string {
    const id = formatTailPlace(this.#place);
    if (id === undefined || id === this.#sentId) return '';
    this.#sentId = id;
    return `id: ${id}\n`;
  }

  async #hasRoom(sink: HttpSink): Promise<boolean> {
    if (sink.waitingBytes < MAX_WAITING_BYTES) return true;
    await new Promise<void>((resolve) => {
      const cancel = this.#options.clock.after(ROOM_MS, resolve);
      void sink.drained().then(() => {
        cancel();
        resolve();
      });
    });
    return sink.waitingBytes < MAX_WAITING_BYTES;
  }
}
