import type { Fault } from '../faults.ts';

/** The store that a run writes to, with its possible faults. */
export interface ChaosStore {
  /** The variables of the aggregators for this store. */
  readonly environment: Readonly<Record<string, string>>;
  readonly faults: readonly Fault[];
  /** All rows, selected by `ROWS`. The aggregators have ended. */
  rows(): AsyncIterable<readonly StoredRow[]>;
  /** Releases everything, in any state. */
  close(): Promise<void>;
}

export interface StoredRow {
  readonly stream: string;
  readonly position: number;
  readonly body: string;
}

/**
 * The streams of a log in the order of their first lines, and each stream by position: the result is each log
 * from its first line to its last. A line begins with its log and its number, which has leading zeros.
 */
export const ROWS = `
  select cast(r.stream as text) as stream, r.position as position, r.body as body
  from log_records r join (select stream, min(case when body not like '#%' then left(body, 24) end) as head from log_records group by stream) heads
    on heads.stream = r.stream
  order by heads.head, r.stream, r.position`;
