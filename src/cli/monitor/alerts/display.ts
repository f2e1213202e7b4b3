import type { Clock } from '../../../runtime/clock.ts';
import type { Io } from '../../output/io.ts';
import type { AlertAnswer } from '../api/api-answers.ts';
import type { Terminal } from '../terminal/terminal.ts';

/** Where what is observed goes. */
export interface Display {
  show(alerts: readonly AlertAnswer[]): void;
  /** Nothing could be seen this time: why. */
  away(reason: string): void;
  close(): void;
}

export interface DisplayOptions {
  readonly clock: Clock;
  readonly io: Pick<Io, 'stdout' | 'stderr'>;
  readonly terminal: Terminal;
  readonly refreshSeconds: number;
  readonly json: boolean;
}
