import type { Logger } from 'pino';
import { linearEngine } from '../patterns/linear-engine.ts';
import { ConfigurationError } from '../runtime/configuration/configuration-error.ts';
import { errorMessage } from '../runtime/error-message.ts';
import { isInternalError } from './describe-failure.ts';
import { EXIT } from './output/exit-codes.ts';
import type { Io } from './output/io.ts';
import type { Service } from './service.ts';
import { warnOfSlowPatterns } from './warn-of-slow-patterns.ts';

/**
 * Runs a service to its end and returns the exit code. SIGTERM and SIGINT stop it within the shutdown
 * timeout, also while it starts; a second signal ends the process immediately. SIGHUP reopens its files. With
 * `done`, an earlier end is a failure: the caller may remove the files next.
 */
export async function runService(options: RunServiceOptions): Promise<number> {
  const { service, logger } = options;
  const signals = listenToSignals(options);
  try {
    // The signal came while modules were loaded: there is nothing to stop.
    if (signals.isStopping()) return endOfSignal(options);
    warnOfSlowPatterns(linearEngine(), logger);
    let hasStarted = false;
    let startError: unknown;
    const started = service.start().then(
      () => {
        hasStarted = true;
      },
      (error: unknown) => {
        startError = error;
        throw error;
      },
    );
    const done = started.then(() => options.done?.() ?? new Promise<never>(() => {}));
    const ending = await Promise.race<Ending>([
      signals.stop.then(() => ({ kind: 'signal' })),
      ...failureOf(service),
      done.then(
        () => ({ kind: 'done' }),
        (error: unknown) => ({ kind: 'failed', error }),
      ),
    ]);
    if (ending.kind === 'failed') logFailure(logger, ending.error, ending.error === startError);
    const stopped = await stopInTime(options, started);
    const isComplete = hasStarted ? ((await options.completed?.()) ?? true) : true;
    if (!stopped) return EXIT.failure;
    if (ending.kind === 'signal') return endOfSignal(options);
    logger.info('Stopped');
    if (ending.kind !== 'failed') return isComplete ? EXIT.ok : EXIT.failure;
    return ending.error instanceof ConfigurationError ? EXIT.configuration : EXIT.failure;
  } finally {
    signals.forget();
  }
}

function failureOf({ failed }: Pick<Service, 'failed'>): readonly Promise<Ending>[] {
  return failed === undefined ? [] : [failed.then((error) => ({ kind: 'failed', error }))];
}

export interface RunServiceOptions {
  readonly service: Pick<Service, 'start' | 'stop' | 'failed'>;
  /** SIGHUP. */
  readonly reopen: () => Promise<void>;
  readonly logger: Logger;
  readonly io: Io;
  readonly shutdownTimeoutMs: number;
  /** Resolves when a one-shot service is complete; absent: the service runs until a signal stops it. */
  readonly done?: () => Promise<void>;
  /**
   * With `done`: called after the stop of a service that had started. False: the service has left something.
   */
  readonly completed?: () => Promise<boolean>;
}

/** Additional time after the deadline, to close files and sockets. */
const CLOSING_GRACE_MS = 2000;
/** Node timers accept whole milliseconds, up to 24 days. */
const LONGEST_TIMEOUT_MS = 20 * 24 * 60 * 60 * 1000;

type Ending = { readonly kind: 'signal' | 'done' } | { readonly kind: 'failed'; readonly error: unknown };

function endOfSignal({ logger, done }: RunServiceOptions): number {
  if (done === undefined) {
    logger.info('Stopped');
    return EXIT.ok;
  }
  logger.warn('Stopped before the run was complete');
  return EXIT.failure;
}

function listenToSignals({ reopen, logger, io }: RunServiceOptions) {
  let stopping = false;
  let stop = () => {};
  const stopped = new Promise<void>((resolve) => {
    stop = resolve;
  });
  const onStop = (signal: string) => () => {
    if (stopping) {
      logger.warn({ signal }, 'Received a second signal; exiting immediately');
      io.exit(EXIT.secondSignal);
      return;
    }
    stopping = true;
    logger.info({ signal }, 'Received a signal; stopping');
    stop();
  };
  const onReopen = () => {
    logger.info('Reopening files and rereading certificates');
    reopen().catch((error: unknown) => logger.error({ err: error }, 'Cannot reopen files'));
  };
  const forget = [
    io.onSignal('SIGTERM', onStop('SIGTERM')),
    io.onSignal('SIGINT', onStop('SIGINT')),
    io.onSignal('SIGHUP', onReopen),
  ];
  return {
    stop: stopped,
    isStopping: () => stopping,
    forget: () => {
      for (const each of forget) each();
    },
  };
}

/** The message contains the reason: a log viewer may show only the message of a line. */
function logFailure(logger: Logger, error: unknown, isStart: boolean): void {
  const reason = errorMessage(error);
  if (isInternalError(error)) logger.fatal({ err: error }, `Internal error: ${reason}`);
  else if (isStart) logger.fatal(reason.startsWith('Cannot ') ? reason : `Cannot start: ${reason}`);
  else logger.fatal(`Failed: ${reason}`);
}

/** False if the service did not stop cleanly and in time. Its data stays durable. */
async function stopInTime(
  { service, logger, shutdownTimeoutMs }: RunServiceOptions,
  started: Promise<void>,
): Promise<boolean> {
  const timeoutMs = Math.min(Math.ceil(shutdownTimeoutMs), LONGEST_TIMEOUT_MS);
  const deadline = AbortSignal.timeout(timeoutMs);
  let timer: NodeJS.Timeout | undefined;
  const hung = new Promise<'hung'>((resolve) => {
    timer = setTimeout(() => resolve('hung'), timeoutMs + CLOSING_GRACE_MS);
  });
  try {
    // stop() is never called while start() is running.
    const stopped = started.catch(() => {}).then(() => service.stop(deadline));
    const result = await Promise.race([stopped, hung]);
    if (result !== 'hung') return true;
    logger.error({ shutdownTimeoutMs }, 'Did not stop within the shutdown timeout');
  } catch (error) {
    logger.error({ err: error }, 'Did not stop cleanly');
  } finally {
    clearTimeout(timer);
  }
  return false;
}
