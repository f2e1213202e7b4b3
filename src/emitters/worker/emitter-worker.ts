import { Worker } from 'node:worker_threads';
import type { Logger } from 'pino';
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

/** The compiled thread lies beside the compiled this; the source beside the source. */
const THREAD = new URL(`./emitter-thread${import.meta.url.endsWith('.ts') ? '.ts' : '.js'}`, import.meta.url);

interface PendingCall {
  readonly resolve: (outcome: Outcome | FlushOutcome | undefined) => void;
  readonly reject: (error: Error) => void;
}

/** The thread itself has ended, by itself or by us; not just one call of it has failed. */
export class ThreadEnded extends Error {
  override readonly name = 'ThreadEnded';
}

export interface EmitterWorkerOptions {
  readonly environment: EmitterEnvironment;
  readonly mirror: MetricsMirror;
  readonly execArgv?: readonly string[];
}

/** One thread with an emitter in it: calls go in, answers come out, until it ends. */
export class EmitterWorker {
  readonly #worker: Worker;
  readonly #options: EmitterWorkerOptions;
  readonly #pending = new Map<number, PendingCall>();
  #calls = 0;
  #ended: ThreadEnded | undefined;
  #isTerminated = false;

  constructor(data: ThreadData, options: EmitterWorkerOptions) {
    const { execArgv } = options;
    this.#options = options;
    this.#worker = new Worker(THREAD, { workerData: data, ...(execArgv && { execArgv: [...execArgv] }) });
    this.#worker.on('message', (message: FromThread) => this.#receive(message));
    this.#worker.on('error', (error) => this.#end(`failed: ${error.message}`));
    this.#worker.on('exit', (code) => this.#end(`ended with code ${code}`));
  }

  get hasEnded(): boolean {
    return this.#ended !== undefined;
  }

  /** Resolves with what the emitter answered; rejects when it threw, and with ThreadEnded when there is no thread. */
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

  async terminate(): Promise<void> {
    this.#isTerminated = true;
    await this.#worker.terminate();
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
      case 'print':
        this.#print(message.bytes);
        break;
      case 'log':
        relog(this.#options.environment.logger, message.line);
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
        'The thread of an emitter ended; a new one will take its place',
      );
    }
    this.#ended ??= new ThreadEnded(`the emitter's thread ${how}`);
    for (const { reject } of this.#pending.values()) reject(this.#ended);
    this.#pending.clear();
  }
}

const LEVELS = ['fatal', 'error', 'warn', 'info', 'debug', 'trace'] as const;

/** A line of the thread's logger, as a line of ours. */
function relog(logger: Logger, line: string): void {
  const { level, msg, ...fields } = JSON.parse(line) as { level: number; msg?: string };
  const name = LEVELS.find((each) => logger.levels.values[each] === level) ?? 'info';
  logger[name](fields, msg);
}
