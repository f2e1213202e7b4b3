import type { Command } from 'commander';
import type { AnyTypedOperation } from '../../runtime/operations/operation.ts';
import type { CallAnswer, CallInput } from '../../runtime/operations/operation-call.ts';
import { callRunningAggregator } from '../call-owner.ts';
import { CommandError } from '../command-error.ts';
import { type ConnectionFlags, withConnection } from '../monitor/api/connection.ts';
import { openApi } from '../monitor/monitor-command.ts';
import { EXIT } from '../output/exit-codes.ts';
import type { Io } from '../output/io.ts';

/** The flags that name a running aggregator. */
export interface AggregatorFlags extends ConnectionFlags {
  readonly stateDirectory?: string;
}

export function withAggregator(command: Command): Command {
  return withConnection(
    command.option(
      '--state-directory <path>',
      'State directory of a running aggregator on this machine, if there is no --url. [default: the configured one]',
    ),
  );
}

/** Calls an operation of a running aggregator: over HTTP with --url, else through its state directory. */
export async function callFilters<Called extends AnyTypedOperation>(
  io: Io,
  flags: AggregatorFlags,
  operation: Called,
  input: CallInput<Called>,
): Promise<CallAnswer<Called>> {
  const { url, stateDirectory } = flags;
  if (url === undefined) return callRunningAggregator(io, stateDirectory, operation, input);
  if (stateDirectory !== undefined)
    throw new CommandError('Name the aggregator with --url or with --state-directory, not both.', EXIT.usage);
  return (await openApi(flags, io)).call(operation, input);
}
