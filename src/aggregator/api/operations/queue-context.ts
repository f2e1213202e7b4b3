import type { Queue } from '../../../storage/queue/queue.ts';
import type { FilterStatus } from '../../filters/filter-status.ts';
import type { LiveReport } from './live-reports.ts';

type OperatedQueue = Pick<
  Queue,
  | 'balance'
  | 'recentEntries'
  | 'findRecord'
  | 'knownEmitters'
  | 'deadLetters'
  | 'forgetEmitter'
  | 'skipCorruptEntry'
>;

/** The means of the operations on the queue. */
export interface QueueContext {
  /** Throws HttpError when the state is not open. */
  readonly queue: () => OperatedQueue;
  /** Names in the configuration; none when no aggregator runs. */
  readonly configuredEmitters: ReadonlySet<string>;
  readonly deadLettersDiscarded: () => void;
  readonly entrySkipped: (emitter: string) => void;
  /** undefined: no aggregator runs. */
  readonly filterStatuses?: () => readonly FilterStatus[] | undefined;
  /** undefined: no aggregator runs, or it is starting. */
  readonly live?: () => Promise<LiveReport | undefined>;
}
