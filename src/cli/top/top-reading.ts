import type { CollectorReport, StreamReport } from '../../aggregator/api/operations/intake-reports.ts';
import type { AggregatorStatus } from '../../aggregator/api/operations/queue-reports.ts';
import type { CollectorStatus, TopStreamsKey } from '../../collector/collector-reports.ts';

/** One answer of a process. */
export type TopReading = CollectorReading | AggregatorReading;

export interface CollectorReading {
  readonly role: 'collector';
  /** Monotonic, when the answer arrived. */
  readonly atMs: number;
  readonly status: CollectorStatus;
}

export interface AggregatorReading {
  readonly role: 'aggregator';
  readonly atMs: number;
  readonly status: AggregatorStatus;
  readonly collectors: readonly CollectorReport[];
  readonly streams: readonly StreamReport[];
}

export interface TopQuery {
  /** Streams. */
  readonly limit: number;
  readonly key: TopStreamsKey;
}

/** A process that `top` observes. */
export interface TopTarget {
  readonly role: 'collector' | 'aggregator';
  /** Its state directory or URL. */
  readonly place: string;
  /** undefined: no process runs there. Rejects with the reason when there is no answer. */
  read(query: TopQuery): Promise<TopReading | undefined>;
}

/** The reason when there is no process. */
export const NOT_RUNNING = 'not running';

/** The two newest readings of a target, or why there are none. */
export interface TopView {
  readonly target: Pick<TopTarget, 'role' | 'place'>;
  readonly newest: TopReading | undefined;
  /** The reading before it, of the same run of the process. */
  readonly before: TopReading | undefined;
  /** Why the process does not answer now; undefined: it does. */
  readonly away: string | undefined;
}
