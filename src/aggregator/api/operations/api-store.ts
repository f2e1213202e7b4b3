import type { LogSearch } from '../../../logstore/logs/log-search.ts';
import type { Monitor } from '../../../monitoring/monitor.ts';

/** The store that the API queries. */
export interface ApiStore {
  readonly search: LogSearch;
  readonly monitor: Monitor;
}

/** A store is configured, but cannot be queried now. `unavailable`: the reason, as a sentence. */
export interface UnavailableStore {
  readonly unavailable: string;
}
