import type { DestinationStream } from 'pino';
import { standardOutput } from '../../emitters/text/standard-output.ts';
import type { Environment } from '../../runtime/configuration/configuration.ts';
import { LogDestination } from '../../runtime/logging/log-destination.ts';
import { productVersion } from '../../runtime/product-version.ts';
import type { EarlySignals } from '../early-signals.ts';
import { type Services, services } from '../services.ts';

/** Everything that a command uses of its process. Tests provide their own. */
export interface Io {
  readonly environment: Environment;
  readonly stdin: Input;
  readonly stdout: Output;
  readonly stderr: Output;
  /** Standard output for records. A slow reader never blocks the event loop. */
  recordOutput(): NodeJS.WritableStream;
  /** Standard error for log lines. A slow reader blocks neither the event loop nor the end of the process. */
  logOutput(): DestinationStream;
  readonly userId: number | undefined;
  readonly version: string;
  readonly services: Services;
  /** Returns a function that removes the listener. */
  onSignal(signal: Signal, listener: () => void): () => void;
  /** Ends the process immediately. */
  exit(code: number): void;
}

export type Input = AsyncIterable<Uint8Array> & { readonly isTTY?: boolean } & Partial<KeyInput>;

/** The part of a terminal that reads single keys. */
interface KeyInput {
  setRawMode(isRaw: boolean): unknown;
  on(event: 'data', listener: (bytes: unknown) => void): unknown;
  off(event: 'data', listener: (bytes: unknown) => void): unknown;
  resume(): unknown;
  pause(): unknown;
}

export type Signal = 'SIGTERM' | 'SIGINT' | 'SIGHUP';

export type Output = NodeJS.WritableStream & {
  readonly isTTY?: boolean;
  readonly columns?: number;
  readonly fd?: number;
};

/** The columns of a terminal; undefined for a pipe or a file, where lines may have any length. */
export function widthOf({ isTTY, columns }: Output): number | undefined {
  return isTTY === true ? columns || UNKNOWN_COLUMNS : undefined;
}

const UNKNOWN_COLUMNS = 80;

export function processIo(signals: EarlySignals): Io {
  return {
    environment: process.env,
    // Opened when it is used: an open standard input would keep the process alive.
    get stdin() {
      return process.stdin;
    },
    stdout: process.stdout,
    stderr: process.stderr,
    recordOutput: () => standardOutput(process.stdout),
    logOutput: standardError,
    userId: process.getuid?.(),
    version: productVersion(),
    services,
    onSignal: (signal, listener) => signals.listen(signal, listener),
    exit: (code) => process.exit(code),
  };
}

function standardError(): DestinationStream {
  const destination = new LogDestination(process.stderr.fd);
  process.once('exit', () => destination.flushSync());
  return destination;
}
