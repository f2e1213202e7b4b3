import type { Batch } from '../../records/batch.ts';
import { type SqlDatabase, SqlError } from '../../store/sql/sql-database.ts';
import type { Emitter, EmitterEnvironment, EmitterState, EmitterType, FlushOutcome } from '../emitter.ts';
import type { Outcome, Retry } from '../outcome.ts';
import { emitterTypes } from '../registry.ts';
import { untilAborted } from '../until-aborted.ts';
import { EmitterWorker, NoAnswer } from './emitter-worker.ts';
import type { EmitterCall } from './messages.ts';
import { MetricsMirror } from './metrics-mirror.ts';

export interface WorkerEmitterOptions {
  /** Of the registry: the thread finds it there by its name. */
  readonly type: string;
  /** As the type's `parse` returned it; crosses by structured clone. */
  readonly configuration: unknown;
  readonly environment: EmitterEnvironment;
  /** Node's own arguments for the thread, such as a module loader. Default: the process's. */
  readonly execArgv?: readonly string[];
}

/** How long an aborted call may take to come back before its thread is ended. */
const ABORT_GRACE_MS = 2000;
/** How long one waits for a thread that ends by itself before a new one is started beside it. */
const END_MS = 5000;

/**
 * An emitter of any type in a worker thread, behind the same interface: for emitters that parse much or block.
 *
 *     delivery -> WorkerEmitter ==messages==> emitter-thread.ts -> the emitter
 *
 * A batch is copied once and moved; outcomes and states come back as they are. Logs, counters, gauges and what goes to
 * standard output come back as messages; the thread has a clock of its own.
 *
 * When the thread ends, whatever the reason, the call under way answers `retry`, everything since the last delivered flush
 * is undone, and the next call starts a new thread with the state of that flush: exactly what a restarted process would
 * do. An aborted call that does not come back costs the thread, too; or, where the thread must end by itself, is given up
 * alone: whoever is exactly-once by ranges may find it done.
 *
 * A store's database is asked through the same messages, any number of times at once. What the thread does not answer in
 * the time given (and a moment more) is a `timeout`; when the thread ends, what is under way is `unavailable`.
 */
export class WorkerEmitter implements Emitter {
  readonly database?: SqlDatabase;
  readonly #options: WorkerEmitterOptions;
  readonly #mirror: MetricsMirror;
  readonly #type: EmitterType | undefined;
  #worker: EmitterWorker | undefined;
  /** Of the last delivered flush. */
  #state: EmitterState | undefined;
  #hasUnflushed = false;
  #isStarted = false;

  constructor(options: WorkerEmitterOptions) {
    this.#options = options;
    this.#state = options.environment.state;
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
        logLevel: environment.logger.level,
        stdoutIsTerminal: 'isTTY' in environment.stdout && environment.stdout.isTTY === true,
      },
      {
        environment,
        mirror: this.#mirror,
        endsByItself: this.#type?.endsByItself === true,
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

  /** A new thread when the old one has ended; a retry when that took something unflushed with it, or none will start. */
  async #revive(): Promise<Retry | undefined> {
    if (!this.#isStarted) return undone('the emitter is not started');
    if (this.#worker?.hasEnded === false) return undefined;
    try {
      await this.#spawn();
    } catch (error) {
      return undone(error);
    }
    if (!this.#hasUnflushed) return undefined;
    this.#hasUnflushed = false;
    return undone("the emitter's thread had ended");
  }

  async #call<T extends Outcome | FlushOutcome>(call: EmitterCall, signal: AbortSignal): Promise<T | Retry> {
    const worker = this.#worker;
    if (worker === undefined) return undone('the emitter is not started');
    const answer = worker.call(call, signal) as Promise<T>;
    const cancel = this.#endUnlessAnswered(worker, signal);
    try {
      return await answer;
    } catch (error) {
      // A call that threw leaves an emitter in no state to go on from.
      if (!(error instanceof NoAnswer)) await worker.end(AbortSignal.timeout(END_MS));
      this.#hasUnflushed = false;
      return undone(error);
    } finally {
      cancel();
    }
  }

  #endUnlessAnswered(worker: EmitterWorker, signal: AbortSignal): () => void {
    let cancelTimer = ignore;
    const onAbort = () => {
      cancelTimer = this.#options.environment.clock.after(ABORT_GRACE_MS, () => {
        if (this.#type?.endsByItself) worker.giveUp();
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

function ignore(): void {}

function undone(why: unknown): Retry {
  return { kind: 'retry', reason: why instanceof Error ? why.message : String(why), undone: true };
}
