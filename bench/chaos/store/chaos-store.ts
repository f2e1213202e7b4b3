import type { Fault } from '../faults.ts';

/** The store that a run writes to, with all that can go wrong with it. */
export interface ChaosStore {
  /** The variables of the aggregators for it. */
  readonly environment: Readonly<Record<string, string>>;
  readonly faults: readonly Fault[];
  /**
   * Everything that is in it, as `ROWS` asks for it. The aggregators have ended.
   */
  rows(): AsyncIterable<readonly StoredRow[]>;
  /** Releases all of it. Safe in any state. */
  close(): Promise<void>;
}

export interface StoredRow {
  readonly stream: string;
  readonly position: number;
  readonly body: string;
}

/**
 * The streams of a log in the order of their first lines, and each by position: what comes out is each log
 * from its first line to its last. A line begins with its log and its number, which has leading zeros.
 */
export const ROWS = `
  select cast(r.stream as text) as stream, r.position as position, r.body as body
  from log_records r join (select stream, min(case when body not like '#%' then left(body, 24) end) as head from log_records group by stream) heads
    on heads.stream = r.stream
  order by heads.head, r.stream, r.position`;
