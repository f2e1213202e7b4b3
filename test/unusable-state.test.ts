import { chmod, mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { run } from '../src/cli/run.ts';
import { services } from '../src/cli/services.ts';
import { asUnprivileged } from './support/as-unprivileged.ts';
import { capturedIo } from './support/captured-io.ts';
import { inProcessPair } from './support/in-process-pair.ts';
import { temporaryDirectory } from './support/temporary-directory.ts';

/** The service under test does not make `path`: its parent does not permit it. */
async function forbiddenPath(directory: string): Promise<string> {
  const parent = join(directory, 'forbidden');
  await mkdir(parent);
  await chmod(directory, 0o755);
  await chmod(parent, 0o555);
  return join(parent, 'state');
}

/** The directory exists, and the service may not write in it. */
async function forbiddenDirectory(directory: string): Promise<string> {
  const path = await forbiddenPath(directory);
  await chmod(join(path, '..'), 0o755);
  await mkdir(path);
  await chmod(path, 0o555);
  return path;
}

describe('a state directory without permission', () => {
  it.each([
    ['cannot be created', forbiddenPath],
    ['cannot be written', forbiddenDirectory],
  ])('that %s is the reason in the FATAL of an aggregator, which stays up', async (_, forbidden) => {
    const pair = await inProcessPair(await temporaryDirectory());
    const path = await forbidden(pair.directory);
    const aggregator = await pair.createAggregator({ AGGREGATOR_STATE_DIRECTORY: path });
    await asUnprivileged(() => aggregator.start());
    expectFatal(pair.aggregatorLog, path);
    expect(aggregator.health()).toMatchObject({ ready: false, reason: expect.stringContaining(path) });
  });

  it.each([
    ['cannot be created', forbiddenPath],
    ['cannot be written', forbiddenDirectory],
  ])('that %s is the reason in the FATAL of a collector, which stays up', async (_, forbidden) => {
    const pair = await inProcessPair(await temporaryDirectory());
    const path = await forbidden(pair.directory);
    const collector = await pair.createCollector({ COLLECTOR_STATE_DIRECTORY: path });
    await asUnprivileged(() => collector.start());
    expectFatal(pair.collectorLog, path);
    expect(collector.health()).toMatchObject({ ready: false, reason: expect.stringContaining(path) });
  });

  it('ends a run that reads once, with the reason and the remedy in its FATAL', async () => {
    const directory = await temporaryDirectory();
    const path = await forbiddenPath(directory);
    const { io, stderr } = capturedIo({ environment: { COLLECTOR_STATE_DIRECTORY: path }, services });
    const flags = ['--tail', import.meta.filename, '--once'];
    expect(await asUnprivileged(() => run(['collector', ...flags], io))).toBe(1);
    expect(fatalOf(stderr())).toContain(`Cannot create the state directory ${path}: EACCES`);
    expect(fatalOf(stderr())).toContain('Repair the disk or the permissions, then restart');
  });

  it('keeps a standalone up, which names both directories', async () => {
    const directory = await temporaryDirectory();
    const path = await forbiddenPath(directory);
    const environment = {
      COLLECTOR_STATE_DIRECTORY: join(path, 'collector'),
      AGGREGATOR_STATE_DIRECTORY: join(path, 'aggregator'),
      COLLECTOR_HTTP_ADDRESS: '127.0.0.1:0',
      AGGREGATOR_HTTP_ADDRESS: '127.0.0.1:0',
      AGGREGATOR_TEXT_CONFIGURATION: '1',
    };
    const { io, stderr, send } = capturedIo({ environment, services });
    await asUnprivileged(async () => {
      const ended = run(['standalone', '--tail', import.meta.filename], io);
      await expect.poll(stderr, { timeout: 20_000 }).toContain('Reading no files');
      expect(stderr()).toContain(`Cannot create the state directory ${path}/aggregator: EACCES`);
      send('SIGTERM');
      expect(await ended).toBe(0);
    });
  });
});

function expectFatal(
  log: readonly { readonly level?: unknown; readonly msg?: unknown }[],
  path: string,
): void {
  const messages = log.filter(({ level }) => level === 60).map(({ msg }) => String(msg));
  expect(messages).toHaveLength(1);
  for (const part of [path, 'EACCES']) expect(messages[0]).toContain(part);
  expect(messages[0]).toMatch(/Repair the disk or the permissions|Make it writable/);
}

function fatalOf(log: string): string {
  const lines = log.trim().split('\n');
  return lines.find((line) => line.includes('"level":"fatal"')) ?? '';
}
