import { systemClock } from '../runtime/clock.ts';
import { callControl } from '../runtime/control/control-client.ts';
import { callHandler } from '../runtime/http/call-handler.ts';
import type { HttpCall, HttpReply } from '../runtime/http/http-call.ts';
import { createLogger } from '../runtime/logging/logger.ts';
import type { AnyTypedOperation } from '../runtime/operations/operation.ts';
import { operationAnswer } from '../runtime/operations/operation-answer.ts';
import { type CallAnswer, type CallInput, operationCall } from '../runtime/operations/operation-call.ts';
import { CommandError } from './command-error.ts';
import type { Io } from './output/io.ts';
import type { OfflineControl } from './services.ts';
import { findStateDirectories, type KnownStateDirectory } from './state-directories.ts';

/** A process that starts or stops owns the directory and does not answer yet, or any more. */
const ATTEMPTS = 10;
const PAUSE_MS = 200;

/**
 * Calls an operation of the process that owns a state directory. If no process runs, this process opens the
 * state for the time of the call. Rejects with OperationError or ControlError.
 */
export async function callOwner<Called extends AnyTypedOperation>(
  io: Io,
  directory: KnownStateDirectory,
  operation: Called,
  input: CallInput<Called>,
): Promise<OwnerAnswer<CallAnswer<Called>>> {
  const { reply, running } = await replyOf(io, directory, operationCall(operation, input));
  return { answer: operationAnswer(operation, reply) as CallAnswer<Called>, running };
}

export interface OwnerAnswer<Answer> {
  readonly answer: Answer;
  /** False: no process runs on this directory; the command opened the state itself. */
  readonly running: boolean;
}

/** Calls an operation of the only aggregator, or of the one at `stateDirectory`. */
export async function callAggregator<Called extends AnyTypedOperation>(
  io: Io,
  stateDirectory: string | undefined,
  operation: Called,
  input: CallInput<Called>,
): Promise<OwnerAnswer<CallAnswer<Called>>> {
  return callOwner(io, await findAggregator(io, stateDirectory), operation, input);
}

/** Calls an operation that only a running aggregator has: it needs more than the state. */
export async function callRunningAggregator<Called extends AnyTypedOperation>(
  io: Io,
  stateDirectory: string | undefined,
  operation: Called,
  input: CallInput<Called>,
): Promise<CallAnswer<Called>> {
  const { path } = await findAggregator(io, stateDirectory);
  const reply = await callControl(path, operationCall(operation, input));
  if (reply === undefined)
    throw new CommandError(
      `Cannot reach an aggregator: none runs on ${path}. Start it, or name another one with --state-directory or --url.`,
    );
  return operationAnswer(operation, reply) as CallAnswer<Called>;
}

async function findAggregator(io: Io, stateDirectory: string | undefined): Promise<KnownStateDirectory> {
  const directories = await findStateDirectories(io, stateDirectory, ['aggregator']);
  const [directory] = directories;
  if (directory === undefined)
    throw new CommandError('No state directory was found. Name it with --state-directory.');
  if (directories.length > 1) {
    const paths = directories.map(({ path }) => `\n  ${path}`).join('');
    throw new CommandError(
      `Several state directories of aggregators exist. Name one with --state-directory:${paths}`,
    );
  }
  return directory;
}

async function replyOf(
  io: Io,
  directory: KnownStateDirectory,
  call: HttpCall,
): Promise<{ readonly reply: HttpReply; readonly running: boolean }> {
  for (let attempt = 1; ; attempt++) {
    const reply = await callControl(directory.path, call);
    if (reply !== undefined) return { reply, running: true };
    const control = await openOffline(io, directory, attempt === ATTEMPTS);
    if (control !== undefined) return { reply: await callOffline(control, call), running: false };
    await systemClock.sleep(PAUSE_MS);
  }
}

/** undefined: another process has opened the state a moment ago. */
async function openOffline(
  io: Io,
  { role, path }: KnownStateDirectory,
  lastAttempt: boolean,
): Promise<OfflineControl | undefined> {
  const logger = createLogger({
    level: 'error',
    name: role,
    pretty: io.stderr.isTTY === true,
    colours: !io.environment.NO_COLOR,
    to: io.stderr,
  });
  try {
    return await io.services.openOfflineControl(role, path, { logger, clock: systemClock });
  } catch (error) {
    if ((error as Error).name === 'StateDirectoryBusyError' && !lastAttempt) return undefined;
    throw error;
  }
}

async function callOffline(control: OfflineControl, call: HttpCall): Promise<HttpReply> {
  try {
    return await callHandler(control.handle, call);
  } finally {
    await control.close();
  }
}
