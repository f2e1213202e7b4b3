import { Command } from 'commander';
import { nearestName } from '../../runtime/configuration/unknown-variables.ts';
import { CommandError } from '../command-error.ts';
import type { Context } from '../context.ts';
import { EXIT } from '../output/exit-codes.ts';
import type { Io } from '../output/io.ts';
import { AggregatorApi } from './api/aggregator-api.ts';
import { type ConnectionFlags, readConnection, withConnection } from './api/connection.ts';

export interface MonitorFlags extends ConnectionFlags {
  readonly json?: boolean;
  readonly utc?: boolean;
}

/** A command that asks an aggregator: all of them have its flags. */
export function monitorCommand(name: string, json: string): Command {
  return withConnection(
    new Command(name)
      .option('--json', json)
      .option('--utc', 'Show times in UTC. [default: the time zone of this machine; JSON is always in UTC]'),
  );
}

/** What a bare `monitor metrics` runs, with the names of the others for who misspells one. */
export function asDefault(list: Command): Command {
  return list.allowExcessArguments().hook('preAction', (command) => {
    const [name] = command.args;
    if (name === undefined) return;
    const others = command.parent?.commands.map((each) => each.name()) ?? [];
    const nearest = nearestName(name, others);
    const hint = nearest === undefined ? `There are ${others.join(', ')}.` : `Did you mean ${nearest}?`;
    throw new CommandError(`There is no such command: ${JSON.stringify(name)}. ${hint}`, EXIT.usage);
  });
}

export async function apiOf(flags: ConnectionFlags, io: Io): Promise<AggregatorApi> {
  return new AggregatorApi(await readConnection(flags, io));
}

/** For what goes on until Ctrl-C; that is no failure. */
export async function untilInterrupted(
  { io }: Pick<Context, 'io'>,
  work: (signal: AbortSignal) => Promise<void>,
): Promise<void> {
  const controller = new AbortController();
  const end = () => controller.abort(new Error('interrupted'));
  const forget = [io.onSignal('SIGINT', end), io.onSignal('SIGTERM', end)];
  try {
    await work(controller.signal);
  } catch (error) {
    if (!controller.signal.aborted) throw error;
  } finally {
    // Whatever is still open, if it ended by itself.
    end();
    for (const each of forget) each();
  }
}
