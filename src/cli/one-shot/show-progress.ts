import type { OneShotReport } from '../../collector/one-shot-report.ts';
import { repeat } from '../../runtime/async/repeat.ts';
import type { Cancel, Clock } from '../../runtime/clock.ts';
import { cutToWidth } from '../output/text-width.ts';
import type { ProgressLine } from './progress-line.ts';
import { ProgressText } from './progress-text.ts';

const INTERVAL_MS = 500;

interface ProgressOptions {
  readonly line: ProgressLine;
  readonly report: () => OneShotReport;
  readonly clock: Clock;
  /** Read for each line, since terminals are resized. */
  readonly columns: () => number;
}

/** Shows the progress of a run until the returned function is called, which erases the line. */
export function showProgress({ line, report, clock, columns }: ProgressOptions): Cancel {
  const text = new ProgressText();
  const cancel = repeat(clock, INTERVAL_MS, () => {
    // A line as wide as the terminal would continue on the next row.
    line.show(cutToWidth(text.next(clock.monotonicMs(), report()), columns() - 1));
  });
  return () => {
    cancel();
    line.erase();
  };
}
