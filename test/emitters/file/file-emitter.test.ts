import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdir, readdir, readFile, rename, rm, stat, symlink, truncate, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, onTestFinished, test } from 'vitest';
import type { EmitterState } from '../../../src/emitters/emitter.ts';
import { parseFileConfiguration } from '../../../src/emitters/file/configuration.ts';
import { FileEmitter } from '../../../src/emitters/file/file-emitter.ts';
import { batchOf } from '../../../src/records/batch.ts';
import type { RecordBatch } from '../../../src/records/record-batch.ts';
import { emitterEnvironment } from '../../support/emitter-environment.ts';
import { FakeClock } from '../../support/fake-clock.ts';
import { lines, recordBatch } from '../../support/record-batches.ts';
import { temporaryDirectory } from '../../support/temporary-directory.ts';

const never = new AbortController().signal;

interface Rig {
  readonly directory: string;
  readonly path: string;
  readonly logs: ReturnType<typeof emitterEnvironment>['logs'];
  readonly emitter: FileEmitter;
  /** Emits, flushes and commits; returns the state. */
  readonly deliver: (...slices: RecordBatch[]) => Promise<EmitterState>;
  readonly text: (name?: string) => Promise<string>;
  readonly names: () => Promise<string[]>;
  readonly pass: (ms: number) => Promise<void>;
  readonly metric: (name: string) => Promise<number>;
  /** Stops this emitter and starts another with this state. */
  readonly restart: (state: EmitterState | undefined) => Promise<Rig>;
}

async function rig(
  settings: Record<string, unknown> = {},
  given: { readonly directory?: string; readonly state?: EmitterState | undefined } = {},
): Promise<Rig> {
  const directory = given.directory ?? (await temporaryDirectory());
  const path = join(directory, 'out.log');
  const [configured] = parseFileConfiguration(JSON.stringify({ path, ...settings }));
  if (configured === undefined) throw new Error('not configured');
  const clock = new FakeClock();
  const environment = emitterEnvironment({ state: given.state, clock });
  const emitter = new FileEmitter(configured.configuration, environment);
  await emitter.start();
  onTestFinished(() => emitter.stop(never));
  return {
    directory,
    path,
    logs: environment.logs,
    emitter,
    deliver: async (...slices) => {
      expect(await emitter.emit(batchOf(slices))).toEqual({ kind: 'delivered' });
      const outcome = await emitter.flush();
      if (outcome.kind !== 'delivered' || outcome.state === undefined)
        throw new Error(JSON.stringify(outcome));
      await emitter.committed();
      return JSON.parse(JSON.stringify(outcome.state)) as EmitterState;
    },
    text: (name = 'out.log') => readFile(join(directory, name), 'utf8'),
    names: async () => (await readdir(directory)).sort(),
    pass: (ms) => clock.advance(ms),
    metric: async (name) => {
      const found = await environment.metrics.getSingleMetric(name)?.get();
      return found?.values[0]?.value ?? 0;
    },
    restart: async (state) => {
      await emitter.stop(never);
      return rig(settings, { directory, state });
    },
  };
}

describe('an output file', () => {
  test('gets a record without a flush when it was buffered for 10 ms and more records follow', async () => {
    const { emitter, pass, text, deliver } = await rig();
    await deliver(recordBatch(['first\n']));
    await emitter.emit(batchOf([recordBatch(['second\n'])]));
    await pass(9);
    await emitter.emit(batchOf([recordBatch(['third\n'])]));
    expect(await text()).toBe('first\n');
    await pass(1);
    await emitter.emit(batchOf([recordBatch(['fourth\n'])]));
    expect(await text()).toBe('first\nsecond\nthird\nfourth\n');
  });

  test('contains the unchanged bytes, without extra files next to it', async () => {
    const { deliver, path, names } = await rig();
    const batch = recordBatch(['a\r\n', Uint8Array.of(0xff, 0x00, 0x0a), 'multi\nline\n']);
    await deliver(batch);
    expect(await readFile(path)).toEqual(batch.data);
    expect(await names()).toEqual(['out.log']);
    expect((await stat(path)).mode & 0o777).toBe(0o640);
  });

  test('is created with its parent directories', async () => {
    const directory = await temporaryDirectory();
    const { deliver } = await rig({ path: join(directory, 'a/b/c/out.log') });
    await deliver(recordBatch(['x\n']));
    expect(await readFile(join(directory, 'a/b/c/out.log'), 'utf8')).toBe('x\n');
  });

  test('contains JSON with "format": "json"', async () => {
    const { deliver, text } = await rig({ format: 'json' });
    await deliver(recordBatch(['x\n']));
    expect(JSON.parse(await text())).toMatchObject({ body: 'x', resource: { 'host.name': 'test-host' } });
  });

  test('has a path with sanitized resource attributes', async () => {
    const directory = await temporaryDirectory();
    const { deliver } = await rig({ path: join(directory, '{host.name}.log') });
    await deliver(
      recordBatch(['one\n'], { resource: new Map([['host.name', 'web']]) }),
      recordBatch(['two\n'], { resource: new Map([['host.name', '../../evil']]) }),
      recordBatch(['three\n'], { resource: new Map() }),
    );
    expect((await readdir(directory)).sort()).toEqual(['_._.._evil.log', 'unknown.log', 'web.log']);
  });

  test('is closed temporarily when too many are open', async () => {
    const directory = await temporaryDirectory();
    const settings = { path: join(directory, '{host.name}.log'), max_open_files: 2 };
    const { deliver, metric, restart } = await rig(settings);
    const slices = Array.from({ length: 30 }, (_, index) =>
      recordBatch([`${index}\n`], { resource: new Map([['host.name', `host-${index % 10}`]]) }),
    );
    const state = await deliver(...slices);
    expect(await metric('aggregator_emitter_file_open_files')).toBeLessThanOrEqual(2);
    for (let host = 0; host < 10; host++) {
      expect(await readFile(join(directory, `host-${host}.log`), 'utf8')).toBe(
        `${host}\n${host + 10}\n${host + 20}\n`,
      );
    }
    const again = await restart(state);
    expect(await again.deliver(...slices.slice(0, 10))).toMatchObject({ files: { length: 10 } });
    expect(again.logs.filter(({ level }) => level >= 40)).toEqual([]);
  });

  test('that was closed and moved is found by the next restart', async () => {
    const directory = await temporaryDirectory();
    const { emitter, deliver, restart } = await rig({
      path: join(directory, '{host.name}.log'),
      max_open_files: 1,
    });
    const to = (host: string, text: string) =>
      recordBatch([text], { resource: new Map([['host.name', host]]) });
    const state = await deliver(to('a', 'a1\n'), to('b', 'b1\n'));
    await emitter.emit(batchOf([to('a', 'a2\n'), to('b', 'b2\n'), to('a', 'a3\n')]));
    await restart(state);
    expect(await readFile(join(directory, 'a.log'), 'utf8')).toBe('a1\n');
    expect(await readFile(join(directory, 'b.log'), 'utf8')).toBe('b1\n');
  });
});

describe('rotation', () => {
  test('renames to numbers that never change', async () => {
    const { deliver, text, names, metric } = await rig({ rotate_bytes: 5 });
    for (const line of ['first\n', 'second\n', 'third\n']) await deliver(recordBatch([line]));
    expect(await names()).toEqual(['out.log', 'out.log.1', 'out.log.2']);
    expect([await text('out.log.1'), await text('out.log.2'), await text()]).toEqual([
      'first\n',
      'second\n',
      'third\n',
    ]);
    expect(await metric('aggregator_emitter_file_rotations_total')).toBe(2);
  });

  test('continues after the highest existing number, including compressed files', async () => {
    const { deliver, directory, names } = await rig({ rotate_bytes: 5 });
    await writeFile(join(directory, 'out.log.7.gz'), '');
    await writeFile(join(directory, 'out.log.old'), '');
    await deliver(recordBatch(['first\n']));
    await deliver(recordBatch(['second\n']));
    expect(await names()).toEqual(['out.log', 'out.log.7.gz', 'out.log.8', 'out.log.old']);
  });

  test('waits for the commit', async () => {
    const { emitter, names } = await rig({ rotate_bytes: 5 });
    for (const line of ['first\n', 'second\n']) {
      await emitter.emit(batchOf([recordBatch([line])]));
      await emitter.flush();
    }
    expect(await names()).toEqual(['.out.log.uncommitted', 'out.log']);
  });
});

describe('reopening', () => {
  test('closes a moved file and starts a new one', async () => {
    const { deliver, emitter, path, text } = await rig();
    await deliver(recordBatch(['before\n']));
    await rename(path, `${path}.moved`);
    await emitter.reopen();
    expect(await text()).toBe('');
    await deliver(recordBatch(['after\n']));
    expect([await text('out.log.moved'), await text()]).toEqual(['before\n', 'after\n']);
  });

  test('waits for the flush if the moved file has unflushed bytes', async () => {
    const { deliver, emitter, path, text, names } = await rig();
    await deliver(recordBatch(['one\n']));
    await emitter.emit(batchOf([recordBatch(['two\n'])]));
    await rename(path, `${path}.moved`);
    await emitter.reopen();
    expect(await names()).toEqual(['out.log.moved']);
    await emitter.flush();
    await emitter.committed();
    await deliver(recordBatch(['three\n']));
    expect([await text('out.log.moved'), await text()]).toEqual(['one\ntwo\n', 'three\n']);
  });

  test('does not change files that were not moved', async () => {
    const { deliver, emitter, text, logs } = await rig();
    await deliver(recordBatch(['one\n']));
    await emitter.reopen();
    await deliver(recordBatch(['two\n']));
    expect(await text()).toBe('one\ntwo\n');
    expect(logs.filter(({ level }) => level >= 30)).toEqual([]);
  });
});

describe('a restart', () => {
  test('truncates uncommitted bytes', async () => {
    const { deliver, emitter, text, restart } = await rig();
    const state = await deliver(recordBatch(['committed\n']));
    await emitter.emit(batchOf([recordBatch(['not committed\n'])]));
    await emitter.flush();
    const again = await restart(state);
    expect(await text()).toBe('committed\n');
    expect(await again.metric('aggregator_emitter_file_cut_bytes_total')).toBe(14);
  });

  test('truncates all its bytes if nothing was committed', async () => {
    const { emitter, text, restart } = await rig();
    await emitter.emit(batchOf([recordBatch(['not committed\n'])]));
    await emitter.flush();
    await restart(undefined);
    expect(await text()).toBe('');
  });

  test('does not truncate a file of another program, and logs it', async () => {
    const directory = await temporaryDirectory();
    await writeFile(join(directory, 'out.log'), 'theirs\n');
    const { text, logs, restart, emitter } = await rig({}, { directory });
    expect(logs).toMatchObject([{ level: 40, path: join(directory, 'out.log'), bytes: 7 }]);
    await emitter.emit(batchOf([recordBatch(['ours\n'])]));
    await emitter.flush();
    const again = await restart(undefined);
    expect(await text()).toBe('theirs\n');
    await again.deliver(recordBatch(['ours\n']));
    expect(await text()).toBe('theirs\nours\n');
  });

  test.each([
    ['was truncated', async (path: string) => truncate(path, 3), 'com'],
    [
      'contains other bytes',
      async (path: string) => writeFile(path, 'overwritten with more\n'),
      'overwritten with more\n',
    ],
    [
      'was replaced by a copy',
      async (path: string) => {
        await rm(path);
        await writeFile(path, 'committed\nand more\n');
      },
      'committed\nand more\n',
    ],
  ])('truncates nothing when the file %s', async (_, change, left) => {
    const { deliver, path, text, restart } = await rig();
    const state = await deliver(recordBatch(['committed\n']));
    await change(path);
    const again = await restart(state);
    expect(await text()).toBe(left);
    expect(again.logs.some(({ level }) => level === 40)).toBe(true);
    await again.deliver(recordBatch(['next\n']));
    expect(await text()).toBe(`${left}next\n`);
  });

  test('truncates its file under another name, and starts a new one', async () => {
    const { deliver, emitter, path, text, restart } = await rig();
    const state = await deliver(recordBatch(['committed\n']));
    await emitter.emit(batchOf([recordBatch(['not committed\n'])]));
    await emitter.flush();
    await emitter.stop(never);
    await rename(path, `${path}.1`);
    await writeFile(path, '');
    const again = await restart(state);
    expect(await text('out.log.1')).toBe('committed\n');
    await again.deliver(recordBatch(['next\n']));
    expect(await text()).toBe('next\n');
    expect(again.logs.filter(({ level }) => level >= 40)).toEqual([]);
  });

  test('rejects an unknown state', async () => {
    await expect(rig({}, { state: { version: 2, files: [] } })).rejects.toThrow(/committed state/);
    await expect(rig({}, { state: 'nonsense' })).rejects.toThrow(/committed state/);
  });
});

describe('another program', () => {
  test('that is a second emitter is rejected with the name of the first', async () => {
    const first = await rig();
    await first.deliver(recordBatch(['first\n']));
    const second = await rig({}, { directory: first.directory });
    const batch = batchOf([recordBatch(['second\n'])]);
    expect(await second.emitter.emit(batch)).toMatchObject({
      kind: 'retry',
      reason: expect.stringContaining(`process ${process.pid}, emitter "test"`),
    });
    await first.emitter.stop(never);
    expect(await second.emitter.emit(batch)).toEqual({ kind: 'delivered' });
  });

  test('that deletes the file causes its unflushed records to be emitted again', async () => {
    const { deliver, emitter, path, text, logs } = await rig();
    await deliver(recordBatch(['gone\n']));
    await emitter.emit(batchOf([recordBatch(['again\n'])]));
    await rm(path);
    expect(await emitter.flush()).toMatchObject({ kind: 'retry', rolledBack: true });
    expect(logs.some(({ msg }) => msg.includes('deleted'))).toBe(true);
    await deliver(recordBatch(['again\n']));
    expect(await text()).toBe('again\n');
  });

  test('that copies and truncates the file loses no later records', async () => {
    const { deliver, path, text, logs } = await rig();
    await deliver(recordBatch(['one\n']));
    await truncate(path, 0);
    await deliver(recordBatch(['two\n']));
    await deliver(recordBatch(['three\n']));
    expect(await text()).toBe('two\nthree\n');
    expect(logs.filter(({ level }) => level === 40)).toHaveLength(1);
  });

  test('that replaces the file by a directory causes a retry', async () => {
    const directory = await temporaryDirectory();
    await mkdir(join(directory, 'out.log'));
    const { emitter } = await rig({}, { directory });
    expect(await emitter.emit(batchOf([recordBatch(['x\n'])]))).toMatchObject({
      kind: 'retry',
      reason: expect.stringContaining('not a regular file'),
    });
  });

  test('can replace the file by a symbolic link, which is followed', async () => {
    const directory = await temporaryDirectory();
    await writeFile(join(directory, 'real.log'), '');
    await symlink(join(directory, 'real.log'), join(directory, 'out.log'));
    const { deliver, text } = await rig({}, { directory });
    await deliver(recordBatch(['x\n']));
    expect(await text('real.log')).toBe('x\n');
  });
});

/** A file system of one megabyte; undefined if this user cannot mount one. */
async function smallDisk(): Promise<string | undefined> {
  const directory = await temporaryDirectory();
  try {
    execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=1m', 'tmpfs', directory], { stdio: 'ignore' });
  } catch {
    return undefined;
  }
  onTestFinished(() => {
    execFileSync('umount', ['-l', directory]);
  });
  return directory;
}

test('a full disk loses no flushed records, and accepts the rest once it has space', async ({ skip }) => {
  const directory = await smallDisk();
  if (directory === undefined) return skip('may not mount a small file system');
  const { deliver, emitter, text } = await rig({}, { directory });
  const records = lines(30_000, 'a longer line');
  await deliver(recordBatch(records.slice(0, 100)));
  await writeFile(join(directory, 'ballast'), Buffer.alloc(700_000));

  const rest = batchOf([recordBatch(records.slice(100))]);
  const outcome = await emitter.emit(rest);
  const end = outcome.kind === 'delivered' ? await emitter.flush() : outcome;
  expect(end).toMatchObject({ kind: 'retry', reason: expect.stringContaining('ENOSPC'), rolledBack: true });
  expect(await text()).toBe(records.slice(0, 100).join(''));

  await rm(join(directory, 'ballast'));
  await deliver(...rest.slices);
  expect(await text()).toBe(records.join(''));
});

test('a second process is rejected with the name of the first', async () => {
  const { deliver, path } = await rig();
  await deliver(recordBatch(['x\n']));
  const other = spawn(process.execPath, [
    '--import',
    new URL('../../support/typescript-loader.mjs', import.meta.url).href,
    '--input-type=module',
    '--eval',
    `import { FileLock } from ${JSON.stringify(new URL('../../../src/emitters/file/file-lock.ts', import.meta.url).href)};
     await FileLock.acquire(${JSON.stringify(path)}, 'the second').then(() => console.log('taken'), (error) => console.log(error.message));`,
  ]);
  let output = '';
  other.stdout.on('data', (chunk: Buffer) => {
    output += chunk.toString();
  });
  await once(other, 'close');
  expect(output).toContain(`process ${process.pid}, emitter "test"`);
});

describe('a path with the host of the record', () => {
  const syslog = (host: string, text: string) => `<13>1 2026-01-31T10:00:00Z ${host} app - - - ${text}\n`;

  test('separates the records of a slice by their hosts, in their order', async () => {
    const directory = await temporaryDirectory();
    const { deliver, text } = await rig(
      { path: join(directory, 'out/{record.host.name}.log'), format: 'body' },
      { directory },
    );
    const resource = new Map([['host.name', 'collector']]);
    const texts = [syslog('a', '1'), syslog('b', '2'), syslog('a', '3'), 'no header\n', syslog('b', '4')];
    await deliver(recordBatch(texts, { format: 'syslog', resource }));
    expect(await text('out/a.log')).toBe(syslog('a', '1') + syslog('a', '3'));
    expect(await text('out/b.log')).toBe(syslog('b', '2') + syslog('b', '4'));
    expect(await text('out/collector.log')).toBe('no header\n');
  });

  test('keeps hostile hosts in its directory', async () => {
    const directory = await temporaryDirectory();
    const { deliver } = await rig({ path: join(directory, 'out/{record.host.name}') }, { directory });
    const hosts = [
      '../../etc/passwd',
      '..',
      '.',
      '/abs',
      'nul\0x',
      `${'é'.repeat(3000)}`,
      '',
      'x\n..',
      'a/../../b',
    ];
    const texts = hosts.map((host) => `${JSON.stringify({ 'host.name': host, msg: 'x' })}\n`);
    await deliver(recordBatch(texts, { format: 'json' }));
    expect(await readdir(directory)).toEqual(['out']);
    const found = await readdir(join(directory, 'out'), { withFileTypes: true });
    expect(found.every((entry) => entry.isFile() && Buffer.byteLength(entry.name) <= 200)).toBe(true);
    const read = await Promise.all(found.map(({ name }) => readFile(join(directory, 'out', name), 'utf8')));
    expect(read.join('').split('\n').filter(Boolean).sort()).toEqual(
      texts.map((text) => text.trimEnd()).sort(),
    );
  });

  test('writes each record once, with a limited number of open files, after an interruption', async () => {
    const directory = await temporaryDirectory();
    const path = join(directory, 'out/{record.host.name}.log');
    const first = await rig({ path, max_open_files: 2 }, { directory });
    const texts = Array.from({ length: 60 }, (_, index) => syslog(`h${index % 20}`, String(index)));
    const batch = recordBatch(texts, { format: 'syslog' });
    const half = recordBatch(texts.slice(0, 30), { format: 'syslog' });
    const state = await first.deliver(half);
    expect(await first.emitter.emit(batchOf([batch]))).toEqual({ kind: 'delivered' });
    const second = await first.restart(state);
    await second.deliver(recordBatch(texts.slice(30), { format: 'syslog' }));
    for (let host = 0; host < 20; host++)
      expect(await second.text(`out/h${host}.log`)).toBe(
        texts.filter((_, index) => index % 20 === host).join(''),
      );
  });
});
