import type { LogSearch } from '../../logstore/logs/log-search.ts';
import type { Monitor } from '../../monitoring/monitor.ts';

/** What the API asks. */
export interface ApiStore {
  readonly search: LogSearch;
  readonly monitor: Monitor;
}

/** There is one, but it cannot be asked now: why, in a whole sentence. */
export interface UnavailableStore {
  readonly unavailable: string;
}
