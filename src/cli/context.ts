import type { Io } from './output/io.ts';

/** What the commands of one run share. */
export interface Context {
  readonly io: Io;
  /** Set by the command that ran. */
  exitCode: number;
}
