import type { LogEntry, SearchRequest, TailRequest } from '../../../logstore/logs/log-requests.ts';
import type { Clock } from '../../../runtime/clock.ts';
import type { AggregatorApi } from '../api/aggregator-api.ts';
import { ApiError } from '../api/api-error.ts';
import type { TailEvent } from '../api/tail-events.ts';
import { sanitizeForTerminal } from '../terminal/sanitize-for-terminal.ts';
import { searchLogs } from './search-logs.ts';

/**
 * Shows the recent records and then every new record, until `signal` aborts.
 *
 * The stream is opened before the search, so that no record falls between them; a record that both return is
 * shown once. After a lost connection the stream continues at the last received position; records after that
 * position that were already shown are skipped. If the aggregator does not know the position any more, the
 * stream continues with new records and a note says that some may be missing.
 */
export async function followLogs(options: FollowLogsOptions, signal: AbortSignal): Promise<void> {
  const { api, clock, request, say } = options;
  const records = new ShownRecords(options);
  let place: string | undefined;
  let pauseMs = FIRST_PAUSE_MS;
  let failures = 0;
  let hasBegun = false;
  for (;;) {
    try {
      const events = await api.tail(request, place);
      if (failures > 1) say('The aggregator is reachable again.');
      if (failures > 0 && place === undefined) say('Records that were stored in between are not shown.');
      failures = 0;
      if (!hasBegun && options.recent !== undefined) {
        const { entries, unknown } = await searchLogs(api, options.recent);
        for (const entry of entries) records.showRecent(entry);
        for (const { message } of unknown) say(sanitizeForTerminal(message));
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
      // A stream that ends and continues at once is not worth a note.
      if (failures === 2) say(`${error.message} Retrying.`);
    }
    await clock.sleep(pauseMs, signal);
    pauseMs = Math.min(pauseMs * 2, LONGEST_PAUSE_MS);
  }
}

export interface FollowLogsOptions {
  readonly api: Pick<AggregatorApi, 'search' | 'tail'>;
  readonly clock: Clock;
  readonly request: TailRequest;
  /** The records to show first. */
  readonly recent: SearchRequest | undefined;
  readonly show: (entry: LogEntry) => void;
  /** Prints a sentence for a person, apart from the records. */
  readonly say: (sentence: string) => void;
}

const FIRST_PAUSE_MS = 500;
const LONGEST_PAUSE_MS = 5000;

function take(event: TailEvent, records: ShownRecords, say: FollowLogsOptions['say']): void {
  if (event.kind === 'log') records.showFollowed(event.entry);
  if (event.kind === 'skipped') {
    say(`Skipped ${event.count} records that came faster than they can be shown.`);
  }
}

/** A new request without a position may succeed. */
function isUnknownPlace({ status }: ApiError): boolean {
  return status === 400 || status === 409 || status === 410 || status === 422;
}

/** Far more records than an aggregator sends without a new position. */
const MOST_FOLLOWED = 100_000;

/** Shows each record once. */
class ShownRecords {
  readonly #show: FollowLogsOptions['show'];
  readonly #recent = new Set<string>();
  /** Since the last position. */
  readonly #followed = new Set<string>();

  constructor({ show }: Pick<FollowLogsOptions, 'show'>) {
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

  /** These records are not sent again. */
  forgetFollowed(): void {
    this.#followed.clear();
  }
}

function identityOf({ stream, position }: LogEntry): string {
  return `${stream}/${position}`;
}
