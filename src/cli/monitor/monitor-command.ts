import { Command } from 'commander';
import { nearestName } from '../../runtime/configuration/unknown-variables.ts';
import { CommandError } from '../command-error.ts';
import type { Context } from '../context.ts';
import { EXIT } from '../output/exit-codes.ts';
import type { Io } from '../output/io.ts';
import { watchPipeReader } from '../output/watch-pipe-reader.ts';
import { AggregatorApi } from './api/aggregator-api.ts';
import { type ConnectionFlags, readConnection, withConnection } from './api/connection.ts';

/** Creates a command that queries an aggregator, with the flags that all of these commands have. */
export function monitorCommand(name: string, json: string): Command {
  return withConnection(
    new Command(name)
      .option('--json', json)
      .option('--utc', 'Show times in UTC. [default: the time zone of this machine; JSON is always in UTC]'),
  );
}

export interface MonitorFlags extends ConnectionFlags {
  readonly json?: boolean;
  readonly utc?: boolean;
}

/** Makes `list` the default of `monitor metrics`, and suggests the other commands for a misspelled name. */
export function asDefault(list: Command): Command {
  return list.allowExcessArguments().hook('preAction', (command) => {
    const [name] = command.args;
    if (name === undefined) return;
    const others = command.parent?.commands.map((each) => each.name()) ?? [];
    const nearest = nearestName(name, others);
    const hint = nearest === undefined ? `Commands: ${others.join(', ')}.` : `Did you mean ${nearest}?`;
    throw new CommandError(`Unknown command ${JSON.stringify(name)}. ${hint}`, EXIT.usage);
  });
}

export async function openApi(flags: ConnectionFlags, io: Io): Promise<AggregatorApi> {
  return new AggregatorApi(await readConnection(flags, io));
}

/** Runs `work` until it ends or Ctrl-C interrupts it, which is not a failure. */
export async function runUntilInterrupted(
  { io }: Pick<Context, 'io'>,
  work: (signal: AbortSignal) => Promise<void>,
): Promise<void> {
  const controller = new AbortController();
  const end = () => controller.abort(new Error('interrupted'));
  const { fd } = io.stdout;
  const forget = [
    io.onSignal('SIGINT', end),
    io.onSignal('SIGTERM', end),
    fd === undefined ? () => {} : watchPipeReader(fd, end),
  ];
  try {
    await work(controller.signal);
  } catch (error) {
    if (!controller.signal.aborted) throw error;
  } finally {
    // Ends the open requests if `work` ended by itself.
    end();
    for (const each of forget) each();
  }
}
