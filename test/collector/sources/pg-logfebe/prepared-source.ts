import { rename, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { Registry } from 'prom-client';
import { onTestFinished } from 'vitest';
import { Journal } from '../../../../src/collector/journal/journal.ts';
import type { JournalOptions } from '../../../../src/collector/journal/journal-options.ts';
import type { StreamSink } from '../../../../src/collector/source.ts';
import { lossRecord } from '../../../../src/collector/sources/pg-logfebe/loss-record.ts';
import {
  PgLogfebeSource,
  type PgLogfebeSourceOptions,
} from '../../../../src/collector/sources/pg-logfebe/pg-logfebe-source.ts';
import { logfebe } from '../../../../src/formats/logfebe.ts';
import { forEachRecord, type RecordBatch } from '../../../../src/records/record-batch.ts';
import { systemClock } from '../../../../src/runtime/clock.ts';
import { openStateStore } from '../../../../src/storage/state/state-store.ts';
import { capturedLogger } from '../../../support/captured-logger.ts';
import { CapturedSink } from '../../../support/captured-sink.ts';
import { temporaryDirectory } from '../../../support/temporary-directory.ts';

const NEVER = AbortSignal.timeout(1e9);
/** For `vi.waitFor`: real sockets and disks on a busy machine. */
export const PATIENT = { timeout: 20_000, interval: 20 };

/** A source with its own journal and serve database; started by `start`, stopped at the end of the test. */
export async function preparedSource(
  overrides: Partial<PgLogfebeSourceOptions> = {},
  { directory, journal: journalOptions = {} }: { directory?: string; journal?: Partial<JournalOptions> } = {},
) {
  directory ??= await temporaryDirectory();
  const { logger, lines } = capturedLogger();
  const metrics = new Registry();
  const state = await openStateStore(join(directory, 'state'));
  const journal = await Journal.open({
    name: 'pg-logfebe',
    unlabelledPrefix: 'collector_pg_logfebe_journal',
    directory,
    state,
    maxBytes: 64 * 1024 * 1024,
    lossRecord,
    clock: systemClock,
    logger,
    metrics,
    freeSpace: { check: async () => undefined, shortage: undefined },
    ...journalOptions,
  });
  const source = new PgLogfebeSource({
    serveDirectory: directory,
    tokensAllowed: true,
    pollIntervalMs: 30,
    socketMode: 0o666,
    resource: new Map([['host.name', 'h']]),
    journal,
    clock: systemClock,
    logger,
    metrics,
    ...overrides,
  });
  const sink = new CapturedSink();
  let stopped = false;
  const stop = async () => {
    if (stopped) return;
    stopped = true;
    await source.stop(NEVER);
    await journal.stop(NEVER);
    await state.close();
  };
  onTestFinished(stop);
  const path = (name: string) => join(directory, `${name}.sock`);
  return {
    directory,
    source,
    sink,
    lines,
    path,
    stop,
    start: (to: StreamSink = sink) => source.start(to),
    /** Submits tenants with these names; each has its name as its identity. */
    serve: async (...tenants: (string | object)[]) => {
      const serves = tenants.map((tenant) =>
        typeof tenant === 'string' ? { i: tenant, p: path(tenant), t: 'SECRET' } : tenant,
      );
      await writeFile(join(directory, 'draft'), JSON.stringify({ serves }));
      await rename(join(directory, 'draft'), join(directory, 'serves.new'));
    },
    log: (message: string) => lines.filter(({ msg }) => msg === message),
    metric: async (name: string) =>
      (await metrics.getSingleMetric(`collector_pg_logfebe_${name}`)?.get())?.values.reduce(
        (sum, each) => sum + each.value,
        0,
      ),
  };
}

/** The message of each record. */
export function messagesOf(batch: RecordBatch): string[] {
  const found: string[] = [];
  forEachRecord(batch, (bytes) => void found.push(logfebe.parse(bytes, batch).body));
  return found;
}
