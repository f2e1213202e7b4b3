import { join } from 'node:path';
import type { Logger } from 'pino';
import { Registry } from 'prom-client';
import { onTestFinished } from 'vitest';
import { Journal } from '../../src/collector/journal/journal.ts';
import type { Loss } from '../../src/collector/journal/loss.ts';
import type { RequestSource } from '../../src/collector/sources/requests/request-source.ts';
import type { SourceType } from '../../src/collector/sources/source-type.ts';
import { forEachLogRecord } from '../../src/formats/record-view.ts';
import type { LogRecord } from '../../src/records/log-record.ts';
import type { Resource } from '../../src/records/resource.ts';
import { type Clock, systemClock } from '../../src/runtime/clock.ts';
import { parseVariables } from '../../src/runtime/configuration/configuration.ts';
import { openStateStore } from '../../src/storage/state/state-store.ts';
import { capturedLogger } from './captured-logger.ts';
import { PullingSink, TakenBytes } from './pulling-sink.ts';
import { temporaryDirectory } from './temporary-directory.ts';

export interface OpenedOptions {
  readonly journalBytes?: number;
  /** Names a shortage of the disk: nothing has room. */
  readonly shortage?: () => string | undefined;
}

/** A source whose clients send requests. */
export interface RequestSourceUnderTest<Listener> {
  readonly type: SourceType<{ readonly listeners: readonly Listener[] }>;
  readonly variable: string;
  readonly lossRecord: (loss: Loss) => Uint8Array;
  readonly create: (options: CreateOptions<Listener>) => RequestSource;
}

interface CreateOptions<Listener> {
  readonly listeners: readonly Listener[];
  readonly journal: Journal;
  readonly journalMaxBytes: number;
  readonly resource: Resource;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly metrics: Registry;
}

/** A running source with these listeners, and everything that an aggregator takes from it. */
export async function openedRequestSource<Listener>(
  { type, variable, lossRecord, create }: RequestSourceUnderTest<Listener>,
  listeners: readonly object[],
  { journalBytes: journalMaxBytes = 64 * 1024 * 1024, shortage = () => undefined }: OpenedOptions = {},
) {
  const state = await temporaryDirectory();
  const environment = { [variable]: JSON.stringify(listeners) };
  const { values, problems } = parseVariables(type.variables, environment);
  if (problems.length > 0) throw new Error(JSON.stringify(problems));
  const { configuration } = type.parse(values, { once: false, otherSources: [] });
  if (configuration === undefined) throw new Error('not configured');
  const store = await openStateStore(join(state, 'state'));
  const { logger, lines } = capturedLogger();
  const metrics = new Registry();
  const dependencies = { clock: systemClock, logger, metrics };
  const freeSpace = {
    check: async () => shortage(),
    get shortage() {
      return shortage();
    },
  };
  const journal = await Journal.open({
    ...{ name: type.name, directory: state, state: store, maxBytes: journalMaxBytes, lossRecord, freeSpace },
    ...dependencies,
  });
  const source = create({
    ...{ listeners: configuration.listeners, journal, journalMaxBytes },
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
  /** `127.0.0.1:1234` of the listener at this place. */
  const address = (index = 0) => source.status().listeners?.[index]?.address ?? '';
  return { source, sink, close, records, address, lines, metrics, taken };
}

export const PATIENT = { timeout: 20_000, interval: 20 };
