/**
 * A process that acquires a directory's lock, for tests of concurrent owners.
 *
 *     node --import ./test/support/typescript-loader.mjs test/support/lock-contender.ts DIRECTORY hold|contend
 *
 * `hold` keeps the lock while the process runs. `contend` waits for a message, then locks and releases
 * repeatedly, and reports how often it had the lock, and how often another process had it at the same time.
 */
import { rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { StateDirectory } from '../../src/storage/state/state-directory.ts';
import { lockDirectory } from '../../src/storage/state/state-directory-lock.ts';

const [directory = '', mode = ''] = process.argv.slice(2);
const ROUNDS = 30;

function report(error: unknown): void {
  process.send?.({ error: String(error) });
}

async function contend(): Promise<void> {
  let held = 0;
  let shared = 0;
  for (let round = 0; round < ROUNDS; round++) {
    const lock = await lockDirectory(directory);
    if (lock === undefined) continue;
    held++;
    try {
      writeFileSync(join(directory, 'held'), '', { flag: 'wx' });
      await sleep(Math.random() * 3);
      rmSync(join(directory, 'held'));
    } catch {
      shared++;
    }
    await lock.release();
  }
  process.send?.({ held, shared });
}

if (mode === 'hold') {
  await StateDirectory.acquire(directory, { role: 'collector', layoutVersion: 1 });
  process.send?.('held');
  setInterval(() => {}, 1000);
} else {
  process.send?.('waiting');
  process.once(
    'message',
    () =>
      void contend()
        .catch(report)
        .finally(() => process.disconnect()),
  );
}
