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
/** Unsent bytes of one listener, and one entry more. */
const MAX_WAITING_BYTES = 256 * 1024;
/** How long a page waits until the listener reads; then the rest of the page is left out. */
const ROOM_MS = 500;
/** Then the stream ends: the listener reconnects with its place and receives the error. */
const MAX_FAILED_POLLS = 10;

/**
 * Live tail as server-sent events. It polls the store for new entries twice a second for each listener.
 *
 * Only the last event of a page of the store has an id: a listener can continue there. By the protocol an
 * event without an id keeps the previous one: a listener that reconnects after half of a page receives the
 * page again.
 *
 * For a listener that reads slowly, the store is not polled until the listener has read everything. If more
 * than a page was stored in the meantime, the rest is left out, and the listener receives its number. A
 * listener that reads nothing is disconnected by the timeout of the server.
 */
export class LogTail {
  readonly #clock: Clock;
  readonly #events: ApiEvents;
  #listeners = 0;

  constructor({ clock, events }: { readonly clock: Clock; readonly events: ApiEvents }) {
    this.#clock = clock;
    this.#events = events;
  }

  /** Rejects with HttpError, or with the error of the search. */
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

  /** The place is free again when the exchange has ended. */
  #enter(signal: AbortSignal): void {
    if (this.#listeners >= MAX_LISTENERS) {
      throw busy(`At most ${MAX_LISTENERS} clients can follow logs. Try again later.`);
    }
    if (signal.aborted) throw busy('The client has disconnected.');
    this.#events.listening({ clients: ++this.#listeners });
    const leave = () => this.#events.listening({ clients: --this.#listeners });
    signal.addEventListener('abort', leave, { once: true });
  }
}

function placeOf({ headers }: HttpRequest): TailPlace | undefined {
  const id = headers['last-event-id'];
  if (id === undefined || id === '') return undefined;
  const place = typeof id === 'string' ? parseTailPlace(id) : undefined;
  if (place !== undefined) return place;
  const problems = [{ path: 'Last-Event-ID', message: 'expected the id of an event' }];
  throw new HttpError(400, 'invalid-request', 'Cannot continue after Last-Event-ID.', { problems });
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

  /** Rejects when the signal aborts; resolves when the store fails permanently. */
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

  /** The entries that the store left out are older than those of the page. */
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
    this.#options.events.skipped({ entries: count });
    this.#writeEvent(sink, { name: 'skipped', data: { count }, isLast });
  }

  #writeEvent(
    sink: HttpSink,
    { name, data, isLast }: { readonly name: string; readonly data: object; readonly isLast: boolean },
  ): void {
    sink.write(`event: ${name}\n${isLast ? this.#newId() : ''}data: ${JSON.stringify(data)}\n\n`);
    this.#heardMs = this.#options.clock.monotonicMs();
  }

  /** Keeps the connection alive, and moves the place while no entry matches the filter. */
  #writeHeartbeat(sink: HttpSink): void {
    const nowMs = this.#options.clock.monotonicMs();
    if (nowMs - this.#heardMs < HEARTBEAT_MS) return;
    this.#heardMs = nowMs;
    sink.write(`: still here\n${this.#newId()}\n`);
  }

  /** A line; empty when the listener has this id already. */
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
