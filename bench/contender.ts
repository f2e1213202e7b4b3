import type { RunningProcess } from '../test/support/running-process.ts';

/** Something that moves a log from a file to a file through two processes and a TCP connection. */
export interface Contender {
  /** Its name in the table. */
  readonly name: string;
  /** For BENCH_ONLY. */
  readonly key: string;
  /** Makes it runnable here; returns its version. Throws with the reason when that is not possible. */
  prepare(): Promise<string>;
  /** Starts both halves, ready and waiting for a log to appear. */
  start(course: Course): Promise<Halves>;
}

/** Where a contender runs. All in one fresh directory. */
export interface Course {
  readonly directory: string;
  /** Watched; one file, LOG_NAME, appears here when the clock starts. */
  readonly logDirectory: string;
  readonly outputPath: string;
  readonly receiverPort: number;
  /** Where the sender connects: the receiver, or a proxy before it. */
  readonly connectPort: number;
}

export const LOG_NAME = 'access.log';

export interface Halves {
  readonly sender: RunningProcess;
  readonly receiver: RunningProcess;
  /** When the receiver knows better than the output's size that all is done. */
  readonly finished?: Promise<void>;
}
