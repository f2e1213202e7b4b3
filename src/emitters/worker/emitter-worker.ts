import { join } from 'node:path';
import { Worker } from 'node:worker_threads';
import type { Logger } from 'pino';
import type { SqlStatement } from '../../logstore/sql/sql.ts';
import { type RunOptions, SqlError, type SqlRow } from '../../logstore/sql/sql-database.ts';
import { untilAborted } from '../../runtime/async/until-aborted.ts';
import { packageRoot } from '../../runtime/package-root.ts';
import type { EmitterEnvironment, FlushOutcome } from '../emitter.ts';
import type { Outcome } from '../outcome.ts';
import {
  type EmitterCall,
  type FromThread,
  movableBatch,
  type ThreadData,
  type ToThread,
} from './messages.ts';
import type { MetricsMirror } from './metrics-mirror.ts';

/** Source code starts its source. Compiled code, which may be in a chunk of the bundle, starts the entry in dist. */
const THREAD = import.meta.url.endsWith('.ts')
  ? new URL('./emitter-thread.ts', import.meta.url)
  : join(packageRoot(), 'dist/emitters/worker/emitter-thread.js');

interface PendingCall {
  readonly resolve: (outcome: Outcome | FlushOutcome | undefined) => void;
  readonly reject: (error: Error) => void;
}

type Rows = readonly (readonly SqlRow[])[];

interface PendingRun {
  readonly resolve: (rows: Rows) => void;
  readonly reject: (error: SqlError) => void;
}

/** Extra time beyond the timeout of the database, for a thread that does not respond at all. */
const RUN_GRACE_MS = 2000;

/** A thread that runs an emitter: sends calls and receives their outcomes until the thread ends. */
export class EmitterWorker {
  readonly #worker: Worker;
  readonly #options: EmitterWorkerOptions;
  readonly #pending = new Map<number, PendingCall>();
  readonly #runs = new Map<number, PendingRun>();
  #calls = 0;
  #ended: ThreadEnded | undefined;
  #isTerminated = false;
  readonly #exited: Promise<void>;

  constructor(data: ThreadData, options: EmitterWorkerOptions) {
    const { execArgv } = options;
    this.#options = options;
    this.#worker = new Worker(THREAD, { workerData: data, ...(execArgv && { execArgv: [...execArgv] }) });
    this.#worker.on('message', (message: FromThread) => this.#receive(message));
    this.#worker.on('error', (error) => this.#end(`failed: ${error.message}`));
    this.#exited = new Promise((resolve) => {
      this.#worker.on('exit', (code) => {
        this.#end(`ended with code ${code}`);
        resolve();
      });
    });
  }

  get hasEnded(): boolean {
    return this.#ended !== undefined;
  }

  /**
   * Resolves with the result of the emitter; rejects if the emitter threw, and with ThreadEnded after the
   * thread ended.
   */
  call(call: EmitterCall, signal?: AbortSignal): Promise<Outcome | FlushOutcome | undefined> {
    if (this.#ended !== undefined) return Promise.reject(this.#ended);
    const id = ++this.#calls;
    const onAbort = () => this.#send({ kind: 'abort', id });
    const answer = new Promise<Outcome | FlushOutcome | undefined>((resolve, reject) => {
      this.#pending.set(id, { resolve, reject });
      this.#sendCall(id, call);
      if (signal?.aborted) onAbort();
      signal?.addEventListener('abort', onAbort, { once: true });
    });
    return answer.finally(() => signal?.removeEventListener('abort', onAbort));
  }

  /** Rejects with SqlError. */
  run(statements: readonly SqlStatement[], options: RunOptions): Promise<Rows> {
    if (this.#ended !== undefined) return Promise.reject(unavailable(this.#ended));
    const id = ++this.#calls;
    const timeoutMs = options.timeoutMs + RUN_GRACE_MS;
    const rows = new Promise<Rows>((resolve, reject) => {
      this.#runs.set(id, { resolve, reject });
      this.#send({ kind: 'run', id, statements, options });
    });
    const cancel = this.#options.environment.clock.after(timeoutMs, () => {
      this.#takeRun(id)?.reject(
        new SqlError('timeout', `the query took longer than ${options.timeoutMs} ms`),
      );
    });
    return rows.finally(cancel);
  }

  /**
   * Terminates the thread, or requests it to end. Resolves when it has ended, or at `deadline` if it must not
   * be terminated; it then ends in the background.
   */
  async end(deadline: AbortSignal): Promise<void> {
    if (this.#ended !== undefined) return;
    this.#isTerminated = true;
    if (!this.#options.mustNotTerminate) {
      await this.#worker.terminate();
      return;
    }
    this.#worker.unref();
    this.#send({ kind: 'end' });
    await untilAborted(this.#exited, deadline);
    this.#end('received a request to end');
  }

  /** Rejects all pending calls; the thread may still complete them. */
  abandonCalls(): void {
    this.#rejectCalls(new NoAnswer("the emitter's thread does not respond"));
  }

  #sendCall(id: number, call: EmitterCall): void {
    if (call.name !== 'emit') {
      this.#send({ kind: 'call', id, call });
      return;
    }
    const { batch, transfer } = movableBatch(call.batch);
    this.#send({ kind: 'call', id, call: { name: 'emit', batch } }, transfer);
  }

  #send(message: ToThread, transfer: readonly ArrayBuffer[] = []): void {
    this.#worker.postMessage(message, transfer);
  }

  #receive(message: FromThread): void {
    switch (message.kind) {
      case 'answer':
        this.#take(message.id)?.resolve(message.outcome);
        break;
      case 'failed':
        this.#take(message.id)?.reject(new Error(message.message));
        break;
      case 'rows':
        this.#takeRun(message.id)?.resolve(message.rows);
        break;
      case 'run-failed':
        this.#takeRun(message.id)?.reject(new SqlError(message.error.kind, message.error.message));
        break;
      case 'print':
        this.#print(message.bytes);
        break;
      case 'log':
        relog(this.#options.environment.logger, message.line);
        break;
      case 'filter-errors':
        this.#options.environment.onFilterErrors?.(message.report);
        break;
      case 'metrics':
        this.#options.mirror.update(message.metrics);
        break;
    }
  }

  #take(id: number): PendingCall | undefined {
    const pending = this.#pending.get(id);
    this.#pending.delete(id);
    return pending;
  }

  #takeRun(id: number): PendingRun | undefined {
    const pending = this.#runs.get(id);
    this.#runs.delete(id);
    return pending;
  }

  #print(bytes: Uint8Array): void {
    this.#options.environment.stdout.write(bytes, (error?: NodeJS.ErrnoException | null) => {
      this.#send({
        kind: 'printed',
        error: error ? { code: error.code, message: error.message } : undefined,
      });
    });
  }

  #end(how: string): void {
    if (this.#ended === undefined && !this.#isTerminated) {
      this.#options.environment.logger.warn(
        { how },
        'The thread of an emitter ended; a new one will be started',
      );
    }
    this.#ended ??= new ThreadEnded(`the emitter's thread ${how}`);
    this.#rejectCalls(this.#ended);
    for (const { reject } of this.#runs.values()) reject(unavailable(this.#ended));
    this.#runs.clear();
  }

  #rejectCalls(error: Error): void {
    for (const { reject } of this.#pending.values()) reject(error);
    this.#pending.clear();
  }
}

/** The whole thread has ended or was terminated; not only one call failed. */
export class ThreadEnded extends Error {
  override readonly name = 'ThreadEnded';
}

/** The call was abandoned; the thread and possibly the call continue. */
export class NoAnswer extends Error {
  override readonly name = 'NoAnswer';
}

export interface EmitterWorkerOptions {
  readonly environment: EmitterEnvironment;
  readonly mirror: MetricsMirror;
  readonly execArgv?: readonly string[];
  /** See EmitterType. */
  readonly mustNotTerminate: boolean;
}

function unavailable({ message }: ThreadEnded): SqlError {
  return new SqlError('unavailable', message);
}

const LEVELS = ['fatal', 'error', 'warn', 'info', 'debug', 'trace'] as const;

/** Writes a line of the thread's logger to the logger of the process. */
function relog(logger: Logger, line: string): void {
  const { level, msg, ...fields } = JSON.parse(line) as { level: number; msg?: string };
  const name = LEVELS.find((each) => logger.levels.values[each] === level) ?? 'info';
  logger[name](fields, msg);
}
