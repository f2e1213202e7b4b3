import { closeSync, openSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, it, onTestFinished, vi } from 'vitest';
import { LogDestination } from '../../../src/runtime/logging/log-destination.ts';
import { temporaryDirectory } from '../../support/temporary-directory.ts';

const opened = (path: string) => {
  const fd = openSync(path, 'a');
  onTestFinished(() => closeSync(fd));
  return new LogDestination(fd);
};

it('writes the lines in their order, also those that wait when it is flushed', async () => {
  const path = join(await temporaryDirectory(), 'log');
  const destination = opened(path);
  const lines = Array.from({ length: 1000 }, (_, i) => `line ${i}\n`);
  for (const line of lines.slice(0, 500)) destination.write(line);
  await vi.waitFor(async () => expect(await readFile(path, 'utf8')).toBe(lines.slice(0, 500).join('')));
  for (const line of lines.slice(500)) destination.write(line);
  destination.flushSync();
  await vi.waitFor(async () =>
    expect((await readFile(path, 'utf8')).split('\n').sort()).toEqual(
      ['', ...lines.map((line) => line.trim())].sort(),
    ),
  );
});

it('discards lines beyond its limit while the reader is slow', async () => {
  const path = join(await temporaryDirectory(), 'log');
  const destination = opened(path);
  for (let i = 0; i < 100; i++) destination.write('x'.repeat(100_000));
  destination.flushSync();
  await vi.waitFor(async () => expect((await readFile(path)).length).toBe(1_100_000));
});

it.runIf(process.platform === 'linux')('discards lines that cannot be written, and ends', async () => {
  const destination = opened('/dev/full');
  destination.write('one\n');
  destination.write('two\n');
  destination.flushSync();
  destination.write('three\n');
  await new Promise((resolve) => setImmediate(resolve));
  destination.flushSync();
});
