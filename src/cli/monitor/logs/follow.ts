import type { LogEntry, SearchRequest, TailRequest } from '../../../logstore/logs/log-requests.ts';
import type { Clock } from '../../../runtime/clock.ts';
import type { AggregatorApi } from '../api/aggregator-api.ts';
import { ApiError } from '../api/api-error.ts';
import type { TailEvent } from '../api/tail-events.ts';
import { harmless } from '../terminal/harmless.ts';
import { searchLogs } from './search-logs.ts';

export interface FollowOptions {
  readonly api: Pick<AggregatorApi, 'search' | 'tail'>;
  readonly clock: Clock;
  readonly request: TailRequest;
  /** What to begin with. */
  readonly recent: SearchRequest | undefined;
  readonly show: (entry: LogEntry) => void;
  /** For a person, beside the records: a sentence. */
  readonly say: (sentence: string) => void;
}

const FIRST_PAUSE_MS = 500;
const LONGEST_PAUSE_MS = 5000;

/**
 * Shows the recent records and then every one that is stored, until `signal`.
 *
 * The stream is opened before the search, so that nothing falls between them; what both bring is shown once. When the
 * connection breaks, the stream goes on at the last place that was given; what came behind that place comes again, and is
 * left out. An aggregator that does not know the place any more is asked from now on, and it is said that something may be
 * missing.
 */
export async function follow(options: FollowOptions, signal: AbortSignal): Promise<void> {
  const { api, clock, request, say } = options;
  const records = new ShownRecords(options);
  let place: string | undefined;
  let pauseMs = FIRST_PAUSE_MS;
  let failures = 0;
  let hasBegun = false;
  for (;;) {
    try {
      const events = await api.tail(request, place);
      if (failures > 1) say('The aggregator is back.');
      if (failures > 0 && place === undefined) say('What was stored in between is not shown.');
      failures = 0;
      if (!hasBegun && options.recent !== undefined) {
        const { entries, unknown } = await searchLogs(api, options.recent);
        for (const entry of entries) records.showRecent(entry);
        for (const { message } of unknown) say(harmless(message));
      }
      hasBegun = true;
      for await (const event of events) {
        pauseMs = FIRST_PAUSE_MS;
        take(event, records, say);
        if (event.id === undefined || event.id === place) continue;
        place = event.id;
        records.forgetFollowed();
      }
    } catch (error) {
      if (signal.aborted || !(error instanceof ApiError)) throw error;
      failures++;
      if (place !== undefined && isUnknownPlace(error)) {
        place = undefined;
        continue;
      }
      if (!hasBegun || !error.isTransient) throw error;
      // A stream that ends and goes on at once is nobody's business.
      if (failures === 2) say(`${error.message} Trying again.`);
    }
    await clock.sleep(pauseMs, signal);
    pauseMs = Math.min(pauseMs * 2, LONGEST_PAUSE_MS);
  }
}

function take(event: TailEvent, records: ShownRecords, say: FollowOptions['say']): void {
  if (event.kind === 'log') records.showFollowed(event.entry);
  if (event.kind === 'skipped') {
    say(`${event.count} records came faster than they can be shown, and are left out.`);
  }
}

/** Asking again without a place may work. */
function isUnknownPlace({ status }: ApiError): boolean {
  return status === 400 || status === 409 || status === 410 || status === 422;
}

/** Far more than an aggregator sends without a new place. */
const MOST_FOLLOWED = 100_000;

/** Shows each record once. */
class ShownRecords {
  readonly #show: FollowOptions['show'];
  readonly #recent = new Set<string>();
  /** Since the last place. */
  readonly #followed = new Set<string>();

  constructor({ show }: Pick<FollowOptions, 'show'>) {
    this.#show = show;
  }

  showRecent(entry: LogEntry): void {
    this.#recent.add(identityOf(entry));
    this.#show(entry);
  }

  showFollowed(entry: LogEntry): void {
    const identity = identityOf(entry);
    if (this.#recent.has(identity) || this.#followed.has(identity)) return;
    if (this.#followed.size >= MOST_FOLLOWED) this.#followed.clear();
    this.#followed.add(identity);
    this.#show(entry);
  }

  /** They do not come again. */
  forgetFollowed(): void {
    this.#followed.clear();
  }
}

function identityOf({ stream, position }: LogEntry): string {
  return `${stream}/${position}`;
}
