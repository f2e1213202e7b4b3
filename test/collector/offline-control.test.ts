import { mkdir, rename, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { explainFile, forgetFile, getCollectorStatus } from '../../src/collector/operations.ts';
import { openOfflineCollectorControl } from '../../src/collector/pipeline.ts';
import { tailEntriesFromGlobs } from '../../src/collector/sources/tail/files/tail-configuration.ts';
import { rememberEntries } from '../../src/collector/sources/tail/remembered-entries.ts';
import type { Json } from '../../src/records/json.ts';
import { systemClock } from '../../src/runtime/clock.ts';
import { LAYOUT_VERSION, migrateLayout } from '../../src/storage/state/layout.ts';
import { ownStateDirectory } from '../../src/storage/state/own-state-directory.ts';
import { openStateStore, type StateStore } from '../../src/storage/state/state-store.ts';
import { callOpened } from '../../testkit/owner-status.ts';
import { capturedLogger } from '../support/captured-logger.ts';
import { temporaryDirectory } from '../support/temporary-directory.ts';

const LAYOUT = { role: 'collector', layoutVersion: LAYOUT_VERSION, migrate: migrateLayout } as const;

async function withStore<T>(state: string, use: (store: StateStore) => Promise<T>): Promise<T> {
  const owner = await ownStateDirectory(state, LAYOUT, systemClock);
  const store = await openStateStore(join(state, 'state'));
  try {
    return await use(store);
  } finally {
    await store.close();
    await owner.release();
  }
}

const rowsOf = (state: string) =>
  withStore(state, async (store) =>
    ['tail-checkpoints', 'tail-looks'].flatMap((table) => [...store.table<Json>(table).entries()]),
  );

async function askOffline(state: string, path: string) {
  const { logger } = capturedLogger();
  const control = await openOfflineCollectorControl(state, { logger, clock: systemClock });
  const status = await callOpened(control, getCollectorStatus, { query: { verbose: true } });
  await callOpened(control, explainFile, { query: { path } });
  await control.close();
  return status;
}

it('changes nothing in the state of a collector that is not running', async () => {
  const directory = await temporaryDirectory();
  const [logs, state] = [join(directory, 'logs'), join(directory, 'collector')];
  const path = join(logs, 'app.log');
  await mkdir(logs);
  await withStore(state, (store) => rememberEntries(store, tailEntriesFromGlobs([join(logs, '*.log')])));
  await writeFile(path, 'a file that the collector has never seen\n');

  expect(await askOffline(state, path)).toMatchObject({ unread: 41 });
  await rename(path, `${path}.1`);
  await writeFile(path, 'another one at the same path\n');
  await askOffline(state, path);

  expect(await rowsOf(state)).toEqual([]);
});

it('forgets a file of a collector that is not running', async () => {
  const state = join(await temporaryDirectory(), 'collector');
  await withStore(state, async (store) => {
    const table = store.table<Json>('tail-checkpoints');
    await store.write(() => table.put('00112233445566778899aabbccddeeff', { path: '/logs/a.log' }));
  });
  const { logger } = capturedLogger();
  const control = await openOfflineCollectorControl(state, { logger, clock: systemClock });
  expect(await callOpened(control, forgetFile, { body: { path: '/logs/b.log' } })).toEqual({ streams: 0 });
  expect(await callOpened(control, forgetFile, { body: { path: '/logs/a.log' } })).toEqual({ streams: 1 });
  await control.close();
  expect(await rowsOf(state)).toEqual([]);
});
