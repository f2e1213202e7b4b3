import type { Io } from './output/io.ts';

/** State that the commands of one run share. */
export interface Context {
  readonly io: Io;
  /** Set by the command that runs. */
  exitCode: number;
}
