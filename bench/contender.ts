import type { RunningProcess } from '../testkit/running-process.ts';

/** A pair of programs that moves a log from file to file through two processes and a TCP connection. */
export interface Contender {
  /** Its name in the table. */
  readonly name: string;
  /** For BENCH_ONLY. */
  readonly key: string;
  /** false: it may write the lines in another order, so only the set of lines is compared. */
  readonly keepsOrder?: false;
  /** Set if its output is not the log: the text that is there once for each record. Records are then counted. */
  readonly recordMark?: string;
  /** Prepares it to run here; returns its version. Throws with the reason if that is not possible. */
  prepare(): Promise<string>;
  /** Starts both halves and waits until they are ready for a log. */
  start(course: Course): Promise<Halves>;
}

/** The directory and addresses of a run. All in one fresh directory. */
export interface Course {
  readonly directory: string;
  /** The watched directory; the file LOG_NAME appears in it when the clock starts. */
  readonly logDirectory: string;
  /** Where the output goes. A contender that adds a date to the name is accepted. */
  readonly outputPath: string;
  readonly receiverPort: number;
  /** Where the sender connects: the receiver, or a proxy before it. */
  readonly connectPort: number;
}

export const LOG_NAME = 'access.log';

export interface Halves {
  readonly sender: RunningProcess;
  readonly receiver: RunningProcess;
  /** Set if the receiver knows better than the output's size when everything is done. */
  readonly finished?: Promise<void>;
  /** What works between the halves, if anything. */
  readonly between?: readonly Part[];
  /** Ends what is between the halves, when these have ended. */
  end?(): Promise<void>;
}

/** A part between the halves. */
export interface Part {
  readonly name: string;
  /** CPU time since its start. */
  cpuSeconds(): number;
}
