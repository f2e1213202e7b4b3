import { CommandError } from './command-error.ts';
import { EXIT } from './output/exit-codes.ts';

/**
 * puppylog created distributed hypertables with `--distributed`. TimescaleDB has no multi-node any more, so the option
 * is refused with an alternative, for the commands that could own it.
 */
export function refuseDistributed([command = '', ...words]: readonly string[]): void {
  if (COMMANDS.has(command) && words.some((word) => OPTION.test(word))) {
    throw new CommandError(MESSAGE, EXIT.usage);
  }
}

const COMMANDS: ReadonlySet<string> = new Set(['aggregator', 'standalone', 'collector']);
const OPTION = /^--distributed(?:=|$)/;
const MESSAGE = `Cannot use --distributed: TimescaleDB has removed distributed hypertables (multi-node) in version 2.14.
Without the option, the store creates a hypertable if the database has the extension. For more than one machine, run
several aggregators at one database; for more data than one database holds, use ClickHouse. See docs/scaling.md.`;
