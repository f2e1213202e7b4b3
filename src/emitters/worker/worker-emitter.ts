import { type SqlDatabase, SqlError } from '../../logstore/sql/sql-database.ts';
import type { Batch } from '../../records/batch.ts';
import { untilAborted } from '../../runtime/async/until-aborted.ts';
import { errorMessage } from '../../runtime/error-message.ts';
import type { Emitter, EmitterEnvironment, EmitterState, EmitterType, FlushOutcome } from '../emitter.ts';
import type { FilterSource } from '../filtering/filter-source.ts';
import type { Outcome, Retry } from '../outcome.ts';
import { emitterTypes } from '../registry.ts';
import { EmitterWorker, NoAnswer } from './emitter-worker.ts';
import type { EmitterCall } from './messages.ts';
import { MetricsMirror } from './metrics-mirror.ts';

/** Time that an aborted call has to settle before its thread is terminated. */
const ABORT_GRACE_MS = 2000;
/** Time that a thread has to end before a new one is started. */
const END_MS = 5000;

/**
 * Runs an emitter of any type in a worker thread, with the same interface: for emitters that parse a lot or
 * block.
 *
 *     delivery -> WorkerEmitter ==messages==> emitter-thread.ts -> the emitter
 *
 * A batch is copied once and transferred. Outcomes, states, logs, counters, gauges and standard output return
 * as messages. The thread has its own clock.
 *
 * When the thread ends for any reason, the current call returns `retry`, everything since the last delivered
 * flush is rolled back, and the next call starts a new thread with the state of that flush, as a restart of
 * the process would. If an aborted call does not settle, its thread is terminated; if the thread must not be
 * terminated, only the call is abandoned, and its records may be stored: such emitters are exactly-once by
 * stream ranges.
 *
 * Queries of a store's database use the same messages, any number at a time. A query that exceeds its timeout
 * (plus a grace period) fails as `timeout`; when the thread ends, pending queries fail as `unavailable`.
 */
export class WorkerEmitter implements Emitter {
  readonly database?: SqlDatabase;
  readonly #options: WorkerEmitterOptions;
  readonly #mirror: MetricsMirror;
  readonly #type: EmitterType | undefined;
  #worker: EmitterWorker | undefined;
  /** The state of the last delivered flush. */
  #state: EmitterState | undefined;
  /** The current one: a new thread starts with it. */
  #filter: FilterSource | undefined;
  #hasUnflushed = false;
  #isStarted = false;

  constructor(options: WorkerEmitterOptions) {
    this.#options = options;
    this.#state = options.environment.state;
    this.#filter = options.environment.filter;
    this.#mirror = new MetricsMirror(options.environment.metrics);
    this.#type = emitterTypes.find(({ type }) => type === options.type);
    const dialect = this.#type?.dialect;
    if (dialect !== undefined) this.database = { dialect, run: (...run) => this.#run(...run) };
  }

  async start(): Promise<void> {
    this.#options.environment.stdout.on('error', ignore);
    this.#isStarted = true;
    await this.#spawn();
  }

  async emit(batch: Batch, signal: AbortSignal): Promise<Outcome> {
    const lost = await this.#revive();
    if (lost !== undefined) return lost;
    this.#hasUnflushed = true;
    return this.#call<Outcome>({ name: 'emit', batch }, signal);
  }

  async flush(signal: AbortSignal): Promise<FlushOutcome> {
    const lost = await this.#revive();
    if (lost !== undefined) return lost;
    const outcome = await this.#call<FlushOutcome>({ name: 'flush' }, signal);
    this.#hasUnflushed = false;
    if (outcome.kind === 'delivered' && outcome.state !== undefined) this.#state = outcome.state;
    return outcome;
  }

  async committed(): Promise<void> {
    if (this.#worker?.hasEnded === false) await this.#worker.call({ name: 'committed' });
  }

  async reopen(): Promise<void> {
    if (this.#worker?.hasEnded === false) await this.#worker.call({ name: 'reopen' });
  }

  /** If the thread has ended, the next one begins with the filter. Nothing is unflushed at this time. */
  async useFilter(filter: FilterSource | undefined): Promise<void> {
    this.#filter = filter;
    if (this.#worker?.hasEnded === false) await this.#worker.call({ name: 'useFilter', filter });
  }

  async stop(deadline: AbortSignal): Promise<void> {
    const worker = this.#worker;
    this.#isStarted = false;
    this.#worker = undefined;
    if (worker === undefined) return;
    await untilAborted(worker.call({ name: 'stop' }, deadline).catch(ignore), deadline);
    await worker.end(deadline);
    this.#options.environment.stdout.removeListener('error', ignore);
  }

  async #run(...run: Parameters<SqlDatabase['run']>): ReturnType<SqlDatabase['run']> {
    if (this.#worker === undefined) throw new SqlError('unavailable', 'the emitter is not started');
    return await this.#worker.run(...run);
  }

  async #spawn(): Promise<void> {
    const { type, configuration, environment, execArgv } = this.#options;
    this.#mirror.reset();
    const worker = new EmitterWorker(
      {
        type,
        configuration,
        name: environment.name,
        state: this.#state,
        stateDirectory: environment.stateDirectory,
        filter: this.#filter,
        logLevel: environment.logger.level,
        stdoutIsTerminal: 'isTTY' in environment.stdout && environment.stdout.isTTY === true,
      },
      {
        environment,
        mirror: this.#mirror,
        mustNotTerminate: this.#type?.mustNotTerminate === true,
        ...(execArgv && { execArgv }),
      },
    );
    this.#worker = worker;
    try {
      await worker.call({ name: 'start' });
    } catch (error) {
      await worker.end(AbortSignal.timeout(END_MS));
      throw error;
    }
  }

  /**
   * Starts a new thread if the old one ended; returns a retry if unflushed records were lost or the start
   * fails.
   */
  async #revive(): Promise<Retry | undefined> {
    if (!this.#isStarted) return rolledBack('the emitter is not started');
    if (this.#worker?.hasEnded === false) return undefined;
    try {
      await this.#spawn();
    } catch (error) {
      return rolledBack(error);
    }
    if (!this.#hasUnflushed) return undefined;
    this.#hasUnflushed = false;
    return rolledBack("the emitter's thread ended");
  }

  async #call<T extends Outcome | FlushOutcome>(call: EmitterCall, signal: AbortSignal): Promise<T | Retry> {
    const worker = this.#worker;
    if (worker === undefined) return rolledBack('the emitter is not started');
    const answer = worker.call(call, signal) as Promise<T>;
    const cancel = this.#endUnlessAnswered(worker, signal);
    try {
      return await answer;
    } catch (error) {
      // After a call threw, the state of the emitter is unknown.
      if (!(error instanceof NoAnswer)) await worker.end(AbortSignal.timeout(END_MS));
      this.#hasUnflushed = false;
      return rolledBack(error);
    } finally {
      cancel();
    }
  }

  #endUnlessAnswered(worker: EmitterWorker, signal: AbortSignal): () => void {
    let cancelTimer = ignore;
    const onAbort = () => {
      cancelTimer = this.#options.environment.clock.after(ABORT_GRACE_MS, () => {
        if (this.#type?.mustNotTerminate) worker.abandonCalls();
        else void worker.end(AbortSignal.timeout(END_MS));
      });
    };
    if (signal.aborted) onAbort();
    signal.addEventListener('abort', onAbort, { once: true });
    return () => {
      signal.removeEventListener('abort', onAbort);
      cancelTimer();
    };
  }
}

export interface WorkerEmitterOptions {
  /** The name by which the thread finds the type in the registry. */
  readonly type: string;
  /** The result of the type's `parse`; copied by structured clone. */
  readonly configuration: unknown;
  readonly environment: EmitterEnvironment;
  /** Node arguments for the thread, such as a module loader. Default: those of the process. */
  readonly execArgv?: readonly string[];
}

function ignore(): void {}

function rolledBack(why: unknown): Retry {
  return { kind: 'retry', reason: errorMessage(why), rolledBack: true };
}
