import type { Json } from '../records/json.ts';
import { systemClock } from '../runtime/clock.ts';
import { ControlError, callControl } from '../runtime/control/control.ts';
import { createLogger } from '../runtime/logging/logger.ts';
import { CommandError } from './command-error.ts';
import type { Io } from './output/io.ts';
import type { OfflineControl } from './services.ts';
import { findStateDirectories, type KnownStateDirectory } from './state-directories.ts';

export interface OwnerAnswer {
  readonly value: Json;
  /** False: nobody runs on this directory; the command was its owner. */
  readonly running: boolean;
}

/** An owner that is just starting, or just stopping, holds the directory and does not answer: this often, this long. */
const ATTEMPTS = 10;
const PAUSE_MS = 200;

/** Has the owner of a state directory do a command; without one, this process becomes the owner for it. */
export async function askOwner(
  io: Io,
  directory: KnownStateDirectory,
  command: string,
  input: Json,
): Promise<OwnerAnswer> {
  for (let attempt = 1; ; attempt++) {
    const answer = await callControl(directory.path, command, input);
    if (answer.answered) return { value: answer.value, running: true };
    const control = await becomeOwner(io, directory, attempt === ATTEMPTS);
    if (control !== undefined) return { value: await runOffline(control, command, input), running: false };
    await systemClock.sleep(PAUSE_MS);
  }
}

/** The same, of the one aggregator that is meant. */
export async function askAggregator(
  io: Io,
  stateDirectory: string | undefined,
  command: string,
  input: Json,
): Promise<OwnerAnswer> {
  const directories = await findStateDirectories(io, stateDirectory, ['aggregator']);
  const [directory] = directories;
  if (directory === undefined) throw new CommandError('No state directory was found.');
  if (directories.length > 1) {
    const paths = directories.map(({ path }) => `\n  ${path}`).join('');
    throw new CommandError(`There are several; name one with --state-directory:${paths}`);
  }
  return askOwner(io, directory, command, input);
}

/** undefined: somebody else has just become it. */
async function becomeOwner(
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

async function runOffline(control: OfflineControl, command: string, input: Json): Promise<Json> {
  try {
    const handler = control.handlers[command];
    if (handler === undefined)
      throw new ControlError('unknown-command', `${command} needs the running process`);
    return await handler(input);
  } finally {
    await control.close();
  }
}
