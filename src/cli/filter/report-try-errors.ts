import type { Io } from '../output/io.ts';
import { printableLines } from '../output/text-table.ts';

interface TryErrors {
  readonly total: number;
  /** The first ones. `file`: absent if it is the filter itself. */
  readonly samples: readonly {
    readonly file?: string;
    readonly line: number;
    readonly reason: string;
    readonly value: string;
  }[];
}

/** Reports the values that the filter in `filter` could not use. */
export function reportTryErrors(io: Io, filter: string, { total, samples }: TryErrors): void {
  if (total === 0) return;
  const lines = samples.map(
    ({ file = filter, line, reason, value }) => `${file}:${line}: ${reason}: ${JSON.stringify(value)}`,
  );
  const more = total > samples.length ? [`${total - samples.length} more`] : [];
  io.stderr.write(printableLines(`Errors: ${total}\n${[...lines, ...more].join('\n')}\n`));
}
