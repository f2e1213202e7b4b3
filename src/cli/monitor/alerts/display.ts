import type { Clock } from '../../../runtime/clock.ts';
import type { Io } from '../../output/io.ts';
import type { AlertAnswer } from '../api/api-answers.ts';
import type { Terminal } from '../terminal/terminal.ts';

/** Shows the observed alerts. */
export interface Display {
  show(alerts: readonly AlertAnswer[]): void;
  /** Shows why the alerts could not be read this time. */
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
