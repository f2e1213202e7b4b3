import { join } from 'node:path';
import { Registry } from 'prom-client';
import { onTestFinished } from 'vitest';
import { journaldType } from '../../../../src/collector/sources/journald/type.ts';
import { forEachLogRecord } from '../../../../src/formats/record-view.ts';
import type { LogRecord } from '../../../../src/records/log-record.ts';
import { type Clock, systemClock } from '../../../../src/runtime/clock.ts';
import { parseVariables } from '../../../../src/runtime/configuration/configuration.ts';
import { openStateStore } from '../../../../src/storage/state/state-store.ts';
import { capturedLogger } from '../../../support/captured-logger.ts';
import { PullingSink, TakenBytes } from '../../../support/pulling-sink.ts';

/** A source that is not started, its state, and everything that an aggregator takes from it. */
export async function openedSource(
  entries: readonly object[],
  options: {
    readonly state: string;
    readonly taken?: TakenBytes;
    readonly clock?: Clock;
    readonly once?: boolean;
  },
) {
  const { state, taken = new TakenBytes(), clock = systemClock, once = false } = options;
  const environment = { COLLECTOR_JOURNALD_CONFIGURATION: JSON.stringify(entries) };
  const { values, problems } = parseVariables(journaldType.variables, environment);
  if (problems.length > 0) throw new Error(JSON.stringify(problems));
  const { configuration } = journaldType.parse(values, { once, otherSources: [] });
  if (configuration === undefined) throw new Error('not configured');
  const store = await openStateStore(join(state, 'state'));
  const { logger, lines } = capturedLogger();
  const metrics = new Registry();
  const source = await journaldType.open(configuration, {
    ...{ stateDirectory: state, store, resource: new Map(), clock, logger, metrics, once },
  });
  const sink = new PullingSink({ taken });
  let isClosed = false;
  const close = async () => {
    if (isClosed) return;
    isClosed = true;
    await source.stop(AbortSignal.timeout(10_000));
    sink.paused = true;
    await sink.idle();
    await source.close(AbortSignal.timeout(10_000));
    await store.close();
  };
  onTestFinished(close);
  const metric = async (name: string) =>
    (await metrics.getSingleMetric(name)?.get())?.values.reduce((sum, { value }) => sum + value, 0);
  return { source, sink, taken, store, lines, metric, close };
}

export function recordsOf(taken: TakenBytes): LogRecord[] {
  const records: LogRecord[] = [];
  for (const batch of taken.batches) forEachLogRecord(batch, (record) => records.push(record));
  return records;
}

export const bodiesOf = (taken: TakenBytes) => recordsOf(taken).map(({ body }) => body);
