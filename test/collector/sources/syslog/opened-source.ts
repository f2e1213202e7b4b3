import { join } from 'node:path';
import { Registry } from 'prom-client';
import { onTestFinished } from 'vitest';
import { Journal } from '../../../../src/collector/journal/journal.ts';
import type { ListenerConfiguration } from '../../../../src/collector/sources/syslog/listener-configuration.ts';
import { rememberRecovered } from '../../../../src/collector/sources/syslog/listener-resends.ts';
import { lossRecord } from '../../../../src/collector/sources/syslog/loss-record.ts';
import { SyslogSource } from '../../../../src/collector/sources/syslog/syslog-source.ts';
import { syslogType } from '../../../../src/collector/sources/syslog/type.ts';
import { forEachLogRecord } from '../../../../src/formats/record-view.ts';
import type { LogRecord } from '../../../../src/records/log-record.ts';
import { systemClock } from '../../../../src/runtime/clock.ts';
import { parseVariables } from '../../../../src/runtime/configuration/configuration.ts';
import { openStateStore } from '../../../../src/storage/state/state-store.ts';
import { capturedLogger } from '../../../support/captured-logger.ts';
import { PullingSink, TakenBytes } from '../../../support/pulling-sink.ts';
import { temporaryDirectory } from '../../../support/temporary-directory.ts';
import { THREAD_ARGUMENTS } from '../../../support/thread-arguments.ts';

/** The listeners of a configuration in JSON. */
export function listenersOf(listeners: readonly object[]): readonly ListenerConfiguration[] {
  const environment = { COLLECTOR_SYSLOG_CONFIGURATION: JSON.stringify(listeners) };
  const { values, problems } = parseVariables(syslogType.variables, environment);
  if (problems.length > 0) throw new Error(JSON.stringify(problems));
  const { configuration } = syslogType.parse(values, { once: false, otherSources: [] });
  if (configuration === undefined) throw new Error('not configured');
  return configuration.listeners;
}

/** A running source with these listeners, and everything that an aggregator takes from it. */
export async function openedSource(
  listeners: readonly object[],
  {
    directory,
    journalBytes = 16 * 1024 * 1024,
    clock = systemClock,
  }: {
    readonly directory?: string;
    readonly journalBytes?: number;
    readonly clock?: typeof systemClock;
  } = {},
) {
  const state = directory ?? (await temporaryDirectory());
  const configurations = listenersOf(listeners);
  const store = await openStateStore(join(state, 'state'));
  const { logger, lines } = capturedLogger();
  const metrics = new Registry();
  const dependencies = { clock, logger, metrics };
  const journal = await Journal.open({
    ...{ name: 'syslog', directory: state, state: store, maxBytes: journalBytes, lossRecord },
    onRecovered: rememberRecovered(configurations, store),
    ...dependencies,
  });
  const source = new SyslogSource({
    ...{ listeners: configurations, journal, store, threadArguments: THREAD_ARGUMENTS },
    resource: new Map([['host.name', 'collector']]),
    ...dependencies,
  });
  const taken = new TakenBytes();
  const sink = new PullingSink({ taken });
  await source.start(sink);
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
  const records = () => {
    const all: LogRecord[] = [];
    for (const batch of taken.batches) forEachLogRecord(batch, (record) => all.push(record));
    return all;
  };
  const texts = () =>
    taken.batches.flatMap((batch) => {
      const found: string[] = [];
      let offset = 0;
      for (const size of batch.sizes) {
        found.push(Buffer.from(batch.data.subarray(offset, offset + size - 1)).toString('latin1'));
        offset += size;
      }
      return found;
    });
  /** The port of the listener that was opened as the nth. */
  const port = (listen: string) => {
    const line = lines.find((each) => each['msg'] === 'Listening for syslog' && each['listener'] === listen);
    return Number(String(line?.['address']).split(':').at(-1));
  };
  const metric = async (name: string, prefix = 'collector_syslog') => {
    const found = await metrics.getSingleMetric(`${prefix}_${name}`)?.get();
    return found?.values.reduce((sum, { value }) => sum + value, 0) ?? 0;
  };
  return { source, sink, close, records, texts, port, lines, metric, state, taken };
}

export const PATIENT = { timeout: 20_000, interval: 20 };
