import { mkdir, rename, rm, symlink, unlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, onTestFinished, test, vi } from 'vitest';
import { systemClock } from '../../../src/runtime/clock.ts';
import { ContentWatcher } from '../../../src/runtime/watching/content-watcher.ts';
import { FakeClock } from '../../support/fake-clock.ts';
import { temporaryDirectory } from '../../support/temporary-directory.ts';

const PATIENT = { timeout: 20_000, interval: 20 };

async function watching(paths: readonly string[], clock = systemClock) {
  const changes: string[][] = [];
  const failures: Error[] = [];
  const watcher = new ContentWatcher({
    paths,
    clock,
    onChange: (changed) => changes.push([...changed]),
    onFailure: (error) => failures.push(error),
  });
  await watcher.start();
  onTestFinished(() => watcher.stop());
  const changed = (count: number) => vi.waitUntil(() => changes.length >= count, PATIENT);
  return { watcher, changes, failures, changed };
}

/** A volume of a Kubernetes secret. */
async function mountSecret(directory: string, version: string, content: string): Promise<void> {
  await mkdir(join(directory, version));
  await writeFile(join(directory, version, 'tls.crt'), content);
  await symlink(version, join(directory, '..data_tmp'));
  await rename(join(directory, '..data_tmp'), join(directory, '..data'));
}

describe('a watched file', () => {
  test('is reported when it is rewritten in place', async () => {
    const path = join(await temporaryDirectory(), 'key');
    await writeFile(path, 'one');
    const { changes, changed } = await watching([path]);
    await writeFile(path, 'two');
    await changed(1);
    expect(changes).toEqual([[path]]);
  });

  test('is reported each time when another file is renamed over it', async () => {
    const directory = await temporaryDirectory();
    const path = join(directory, 'key');
    await writeFile(path, 'one');
    const { changed } = await watching([path]);
    for (const [index, content] of ['two', 'three', 'four'].entries()) {
      await writeFile(join(directory, 'temporary'), content);
      await rename(join(directory, 'temporary'), path);
      await changed(index + 1);
    }
  });

  test('is reported when Kubernetes swaps the link of a mounted secret, again and again', async () => {
    const directory = await temporaryDirectory();
    await mountSecret(directory, '..2026_1', 'one');
    const path = join(directory, 'tls.crt');
    await symlink('..data/tls.crt', path);
    const { changes, changed } = await watching([path]);
    for (const [index, version] of ['..2026_2', '..2026_3', '..2026_4'].entries()) {
      await mountSecret(directory, version, version);
      await rm(join(directory, `..2026_${index + 1}`), { recursive: true });
      await changed(index + 1);
    }
    expect(changes).toEqual([[path], [path], [path]]);
  });

  test('is reported when a link to its directory is replaced, and when its new target is rewritten', async () => {
    const directory = await temporaryDirectory();
    for (const version of ['v1', 'v2']) {
      await mkdir(join(directory, version));
      await writeFile(join(directory, version, 'key'), version);
    }
    await symlink('v1', join(directory, 'current'));
    const path = join(directory, 'current', 'key');
    const { changed } = await watching([path]);
    await symlink('v2', join(directory, 'next'));
    await rename(join(directory, 'next'), join(directory, 'current'));
    await changed(1);
    await writeFile(join(directory, 'v2', 'key'), 'rewritten');
    await changed(2);
  });

  test('is reported when it was away, and comes back with another content', async () => {
    const path = join(await temporaryDirectory(), 'key');
    await writeFile(path, 'one');
    const { changes, changed } = await watching([path]);
    await unlink(path);
    await writeFile(path, 'two');
    await changed(1);
    expect(changes).toEqual([[path]]);
  });

  test('is not reported for an equal content, nor for its neighbours', async () => {
    const directory = await temporaryDirectory();
    const [path, other] = [join(directory, 'key'), join(directory, 'certificate')];
    await writeFile(path, 'one');
    await writeFile(other, 'one');
    const { changes, changed } = await watching([path, other]);
    await writeFile(join(directory, 'neighbour'), 'two');
    await writeFile(join(directory, 'equal'), 'one');
    await rename(join(directory, 'equal'), path);
    await writeFile(other, 'two');
    await changed(1);
    expect(changes).toEqual([[other]]);
  });
});

test('a change that no event announces is found by the poll', async () => {
  const path = join(await temporaryDirectory(), 'key');
  await writeFile(path, 'one');
  // With this clock, events wait for a timer that the test does not reach.
  const clock = new FakeClock();
  const { changes } = await watching([path], clock);
  await writeFile(path, 'two');
  await vi.waitUntil(async () => {
    await clock.advance(60_000);
    return changes.length > 0;
  }, PATIENT);
  expect(changes).toEqual([[path]]);
});

test('nothing is reported after the stop', async () => {
  const path = join(await temporaryDirectory(), 'key');
  await writeFile(path, 'one');
  const { watcher, changes } = await watching([path]);
  await writeFile(path, 'two');
  await watcher.stop();
  const reported = changes.length;
  await writeFile(path, 'three');
  await new Promise((resolve) => setTimeout(resolve, 300));
  expect(changes).toHaveLength(reported);
});
