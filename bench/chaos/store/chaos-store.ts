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
 * The streams of a log in the order of their first lines, and each stream by position: the result is each log from
 * its first line to its last. A line begins with its log and its number, which has leading zeros. The filter may have
 * replaced the blanks, or have split the line there.
 */
export const ROWS = `
  with followed as (
    select stream, body, lead(body) over (partition by stream order by position) as following from log_records
  ), heads as (
    select stream, min(case
      when body like '#%' then null
      when strpos(body, ' ') + strpos(body, '_') > 0 then replace(left(body, 24), '_', ' ')
      when length(following) = 9 and following like '%7' then concat(body, ' ', following)
    end) as head
    from followed group by stream
  )
  select cast(r.stream as text) as stream, r.position as position, r.body as body
  from log_records r join heads on heads.stream = r.stream
  order by heads.head, r.stream, r.position`;
