import { parentPort, workerData } from 'node:worker_threads';
import { pino } from 'pino';
import { Registry } from 'prom-client';
import { SqlError } from '../../logstore/sql/sql-database.ts';
import { minorGcEvery } from '../../runtime/buffer-collection.ts';
import { systemClock } from '../../runtime/clock.ts';
import { errorMessage } from '../../runtime/error-message.ts';
import { createInnerEmitter } from '../create-emitter.ts';
import type { Emitter, FlushOutcome } from '../emitter.ts';
import type { FilterErrorReport } from '../filtering/filter-source.ts';
import type { Outcome } from '../outcome.ts';
import { emitterTypes } from '../registry.ts';
import type { EmitterCall, FromThread, ThreadData, ThreadMetric, ToThread } from './messages.ts';
import { ThreadOutput } from './thread-output.ts';

/**
 * The entry module of an emitter's thread: creates the emitter and runs the calls that it receives. See
 * `worker-emitter.ts`. No module imports it.
 */
const COLLECT_EVERY_BYTES = 4 * 1024 * 1024;

const port = parentPort;
if (port === null) throw new Error('Cannot run emitter-thread: it must be started as a worker thread.');

const data = workerData as ThreadData;
const send = (message: FromThread, transfer: ArrayBuffer[] = []) => port.postMessage(message, transfer);
const metrics = new Registry();
const stdout = new ThreadOutput(send, data.stdoutIsTerminal);
const signals = new Map<number, AbortController>();
/** Without this, V8 would keep several hundred megabytes of processed batches. */
const passed = minorGcEvery(COLLECT_EVERY_BYTES);
const emitter = await threadEmitter();

port.on('message', (message: ToThread) => {
  if (message.kind === 'call') void answer(message.id, message.call);
  else if (message.kind === 'run') void run(message);
  else if (message.kind === 'end') port.close();
  else if (message.kind === 'abort') signals.get(message.id)?.abort();
  else stdout.printed(message.error);
});

function threadEmitter(): Promise<Emitter> {
  const type = emitterTypes.find((each) => each.type === data.type);
  if (type === undefined) throw new Error(`Cannot create the emitter: no emitter type "${data.type}".`);
  const { configuration, name, state, stateDirectory, filter } = data;
  const logger = pino(
    { level: data.logLevel, base: null, timestamp: false },
    { write: (line) => send({ kind: 'log', line }) },
  );
  const onFilterErrors = (report: FilterErrorReport) => send({ kind: 'filter-errors', report });
  const process = { logger, metrics, clock: systemClock, stdout, onFilterErrors };
  const environment = { name, state, stateDirectory, filter, ...process };
  return createInnerEmitter({ type, configuration, environment });
}

async function answer(id: number, call: EmitterCall): Promise<void> {
  const controller = new AbortController();
  signals.set(id, controller);
  try {
    const outcome = await made(call, controller.signal);
    if (call.name === 'flush' || call.name === 'stop') await sendMetrics();
    send({ kind: 'answer', id, outcome });
  } catch (error) {
    send({ kind: 'failed', id, message: errorMessage(error) });
  } finally {
    signals.delete(id);
  }
}

async function made(call: EmitterCall, signal: AbortSignal): Promise<Outcome | FlushOutcome | undefined> {
  switch (call.name) {
    case 'emit':
      passed(call.batch.byteCount);
      return emitter.emit(call.batch, signal);
    case 'flush':
      return emitter.flush(signal);
    case 'useFilter':
      await emitter.useFilter?.(call.filter);
      return undefined;
    case 'start':
      await emitter.start();
      return undefined;
    case 'committed':
      await emitter.committed?.();
      return undefined;
    case 'reopen':
      await emitter.reopen?.();
      return undefined;
    case 'stop':
      await emitter.stop(signal);
      return undefined;
  }
}

async function run({ id, statements, options }: ToThread & { readonly kind: 'run' }): Promise<void> {
  try {
    const { database } = emitter;
    if (database === undefined)
      throw new SqlError('unavailable', `emitters of type ${data.type} have no database`);
    send({ kind: 'rows', id, rows: await database.run(statements, options) });
  } catch (error) {
    const kind = error instanceof SqlError ? error.kind : 'unavailable';
    send({
      kind: 'run-failed',
      id,
      error: { kind, message: errorMessage(error) },
    });
  }
}

async function sendMetrics(): Promise<void> {
  const all = (await metrics.getMetricsAsJSON()) as unknown as ThreadMetric[];
  if (all.length > 0)
    send({
      kind: 'metrics',
      metrics: all.map(({ name, help, type, values }) => ({ name, help, type: String(type), values })),
    });
}
