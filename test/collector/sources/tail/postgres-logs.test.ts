import { rename } from 'node:fs/promises';
import { join } from 'node:path';
import { Registry } from 'prom-client';
import { describe, expect, it, onTestFinished, vi } from 'vitest';
import { tailEntriesFromGlobs } from '../../../../src/collector/sources/tail/files/tail-configuration.ts';
import { createTailSource } from '../../../../src/collector/sources/tail/tail-source.ts';
import { forEachLogRecord } from '../../../../src/formats/record-view.ts';
import type { LogRecord } from '../../../../src/records/log-record.ts';
import { systemClock } from '../../../../src/runtime/clock.ts';
import { openStateStore } from '../../../../src/storage/state/state-store.ts';
import { capturedLogger } from '../../../support/captured-logger.ts';
import { POSTGRES_PROGRAMS, startPostgres } from '../../../support/postgres-server.ts';
import { PullingSink } from '../../../support/pulling-sink.ts';
import { temporaryDirectory } from '../../../support/temporary-directory.ts';

const name = 'a tail of the logs of a real PostgreSQL';
if (POSTGRES_PROGRAMS === undefined) console.warn(`SKIPPED: ${name}: PostgreSQL is not installed`);

/** Follows the csvlog and the jsonlog of a directory, each with its format. */
async function tail(directory: string): Promise<PullingSink> {
  const store = await openStateStore(join(await temporaryDirectory(), 'state'));
  const entryOf = (glob: string, format: string) =>
    tailEntriesFromGlobs([glob]).map((entry) => ({ ...entry, format }));
  const source = createTailSource({
    entries: [...entryOf('*.csv*', 'postgres-csvlog'), ...entryOf('*.json*', 'postgres-jsonlog')],
    resource: new Map(),
    store,
    clock: systemClock,
    logger: capturedLogger().logger,
    metrics: new Registry(),
    once: false,
    workingDirectory: directory,
    limits: { pollMs: 100 },
  });
  const sink = new PullingSink();
  await source.start(sink);
  onTestFinished(async () => {
    await source.stop(AbortSignal.timeout(10_000));
    sink.paused = true;
    await sink.idle();
    await source.close();
    await store.close();
  });
  return sink;
}

/** The numbers in the messages that a test made the server write, in their order. */
function numbersIn(sink: PullingSink, format: string): string[] {
  const numbers: string[] = [];
  const note = ({ body }: LogRecord) => {
    const [, number] = /^message (\d+) "quoted",\nsecond line é\n$/.exec(body) ?? [];
    if (number !== undefined) numbers.push(number);
  };
  for (const batch of sink.taken.batches) if (batch.format === format) forEachLogRecord(batch, note);
  return numbers;
}

describe.skipIf(POSTGRES_PROGRAMS === undefined)(name, () => {
  it('delivers every record once and in order through rotations', { timeout: 120_000 }, async () => {
    const server = await startPostgres({ log_destination: 'csvlog,jsonlog', log_timezone: 'UTC' });
    await server.sql('create database latin encoding latin1 template template0');
    const sink = await tail(server.logDirectory);
    let written = 0;
    for (let round = 0; round < 4; round++) {
      for (const database of ['postgres', 'latin']) {
        const statements = Array.from(
          { length: 40 },
          () => `do $$ begin raise warning E'message ${written++} "quoted",\\nsecond line é\\n'; end $$;`,
        );
        await server.sql(statements.join('\n'), { database });
      }
      for (const log of ['pg.csv', 'pg.json'])
        await rename(join(server.logDirectory, log), join(server.logDirectory, `${log}.${round}`));
      await server.sql('select pg_rotate_logfile()');
    }
    await server.stop();
    const expected = Array.from({ length: written }, (_, number) => `${number}`);
    for (const format of ['postgres-csvlog', 'postgres-jsonlog'])
      await vi.waitFor(() => expect(numbersIn(sink, format)).toEqual(expected), {
        timeout: 60_000,
        interval: 200,
      });
    await sink.idle();
  });
});
