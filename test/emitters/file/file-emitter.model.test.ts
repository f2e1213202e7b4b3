import { join } from 'node:path';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { EmitterState } from '../../../src/emitters/emitter.ts';
import type { FileConfiguration } from '../../../src/emitters/file/configuration.ts';
import { FileEmitter } from '../../../src/emitters/file/file-emitter.ts';
import { batchOf } from '../../../src/records/batch.ts';
import { emitterEnvironment } from '../../support/emitter-environment.ts';
import { MemoryDisk } from '../../support/memory-disk.ts';
import { recordBatch } from '../../support/record-batches.ts';
import { temporaryDirectory } from '../../support/temporary-directory.ts';

/**
 * A model of delivery: records come from a list, cursor and state are committed together, and after any
 * failure delivery rewinds to the committed cursor. At the end the files contain each record of the list
 * once, in order.
 */
class Delivery {
  readonly disk = new MemoryDisk();
  readonly configuration: FileConfiguration;
  /** Number of files that receive the records in turn, a few each. */
  readonly fileCount: number;
  readonly records: string[] = [];
  #emitter: FileEmitter | undefined;
  #committed: { cursor: number; state: EmitterState | undefined } = { cursor: 0, state: undefined };
  #flushed: { cursor: number; state: EmitterState | undefined } | undefined;
  #cursor = 0;

  constructor(configuration: FileConfiguration, fileCount = 1) {
    this.configuration = configuration;
    this.fileCount = fileCount;
  }

  async start(): Promise<void> {
    this.#emitter = new FileEmitter(
      this.configuration,
      emitterEnvironment({ state: this.#committed.state }),
      this.disk,
    );
    this.#cursor = this.#committed.cursor;
    this.#flushed = undefined;
    await this.#emitter.start();
  }

  async emit(count: number): Promise<void> {
    const slices = Array.from({ length: count }, (_, index) => {
      const record = this.#cursor + index;
      const resource = new Map([['n', String(this.#fileOf(record))]]);
      return recordBatch([this.#record(record)], { resource });
    });
    const outcome = await this.#emitter?.emit(batchOf(slices));
    if (outcome?.kind === 'delivered') this.#cursor += count;
    else this.#cursor = (this.#flushed ?? this.#committed).cursor;
  }

  async flush(): Promise<void> {
    const cursor = this.#cursor;
    const outcome = await this.#emitter?.flush();
    if (outcome?.kind !== 'delivered') this.#cursor = (this.#flushed ?? this.#committed).cursor;
    else this.#flushed = { cursor, state: JSON.parse(JSON.stringify(outcome.state)) as EmitterState };
  }

  async commit(): Promise<void> {
    // A dead process commits nothing.
    if (this.#flushed === undefined || this.disk.isDead) return;
    this.#committed = this.#flushed;
    this.#flushed = undefined;
    await this.#emitter?.committed();
  }

  async reopen(): Promise<void> {
    await this.#emitter?.reopen();
  }

  async stop(): Promise<void> {
    await this.#emitter?.stop(new AbortController().signal);
  }

  /** Restarts after a crash of the process or the machine. */
  async restart(): Promise<void> {
    this.disk.kill();
    await this.stop();
    this.disk.revive();
    await this.start();
  }

  /** Emitted, but not committed. */
  get waiting(): number {
    return this.records.length - this.#committed.cursor;
  }

  path(file: number): string {
    return this.configuration.path.replace('{n}', String(file));
  }

  /** The expected and the actual content of every file. */
  get balance(): { readonly expected: readonly string[]; readonly found: readonly string[] } {
    const committed = this.records.slice(0, this.#committed.cursor);
    const files = Array.from({ length: this.fileCount }, (_, file) => file);
    return {
      expected: files.map((file) => committed.filter((_, record) => this.#fileOf(record) === file).join('')),
      found: files.map((file) => outputOf(this.disk, this.path(file))),
    };
  }

  #fileOf(record: number): number {
    return Math.floor(record / 3) % this.fileCount;
  }

  #record(index: number): string {
    this.records[index] ??= `record ${index} ${'x'.repeat(index % 7)}\n`;
    return this.records[index];
  }
}

function expectBalance(delivery: Delivery, when: string): void {
  const { expected, found } = delivery.balance;
  expect(found, when).toEqual(expected);
}

/** All output in the order it was written: rotated files by number, the current one last. */
function outputOf(disk: MemoryDisk, path: string): string {
  const directory = path.slice(0, path.lastIndexOf('/'));
  const name = path.slice(directory.length + 1);
  const number = (each: string) =>
    each === name ? Number.POSITIVE_INFINITY : Number(each.slice(name.length + 1));
  return [...disk.contents(directory)]
    .filter(([each]) => each.startsWith(name))
    .sort(([a], [b]) => number(a) - number(b))
    .map(([, data]) => data.toString())
    .join('');
}

async function configuration(overrides: Partial<FileConfiguration> = {}): Promise<FileConfiguration> {
  return {
    // The lock requires an existing directory; the files are in memory.
    path: join(await temporaryDirectory(), 'out-{n}.log'),
    fsync: true,
    rotate_bytes: 60,
    format: 'body',
    mode: 0o640,
    max_open_files: 4,
    ...overrides,
  };
}

async function script(delivery: Delivery): Promise<void> {
  await delivery.start();
  for (const [count, commits] of [
    [2, true],
    [3, false],
    [3, true],
    [5, true],
    [1, true],
    [4, false],
    [2, true],
  ] as const) {
    await delivery.emit(count);
    await delivery.flush();
    if (commits) await delivery.commit();
  }
}

/** Repeats all emitted records, and some more. */
async function finish(delivery: Delivery): Promise<void> {
  await delivery.emit(delivery.waiting + 3);
  await delivery.flush();
  await delivery.commit();
  await delivery.stop();
}

async function operationsOf(run: (delivery: Delivery) => Promise<void>): Promise<number> {
  const delivery = new Delivery(await configuration());
  let operations = 0;
  delivery.disk.onOperation = () => {
    operations++;
    return undefined;
  };
  await run(delivery);
  await delivery.stop();
  return operations;
}

describe('the file emitter is exactly-once', () => {
  test('when killed at every disk operation, with torn writes', async () => {
    const operations = await operationsOf(script);
    expect(operations).toBeGreaterThan(50);
    for (let fatal = 1; fatal <= operations; fatal++) {
      for (const takenBytes of [0, 5]) {
        const delivery = new Delivery(await configuration());
        let operation = 0;
        delivery.disk.onOperation = (name) => {
          operation++;
          // A torn write: a short write with a crash in the next operation.
          if (operation === fatal && name === 'write' && takenBytes > 0) return { code: 'EIO', takenBytes };
          if (operation >= fatal) delivery.disk.kill();
          return undefined;
        };
        await script(delivery);
        delivery.disk.onOperation = () => undefined;
        await delivery.restart();
        await finish(delivery);
        expectBalance(delivery, `killed at operation ${fatal}`);
      }
    }
  });

  test('when power fails at every disk operation', async () => {
    const operations = await operationsOf(script);
    for (let fatal = 1; fatal <= operations; fatal++) {
      const delivery = new Delivery(await configuration());
      let operation = 0;
      delivery.disk.onOperation = () => {
        if (++operation === fatal) delivery.disk.cutPower();
        return undefined;
      };
      await script(delivery);
      delivery.disk.onOperation = () => undefined;
      await delivery.restart();
      await finish(delivery);
      expectBalance(delivery, `power cut at operation ${fatal}`);
    }
  });

  test('when killed again at every operation of the restart', async () => {
    const operations = await operationsOf(script);
    for (let fatal = 2; fatal <= operations; fatal += 3) {
      for (let again = 1; again <= 12; again++) {
        const delivery = new Delivery(await configuration());
        let operation = 0;
        delivery.disk.onOperation = () => {
          if (++operation === fatal) delivery.disk.kill();
          return undefined;
        };
        await script(delivery);
        operation = 0;
        delivery.disk.onOperation = () => {
          if (++operation === again) delivery.disk.cutPower();
          return undefined;
        };
        await delivery.restart();
        await delivery.emit(2);
        await delivery.flush();
        delivery.disk.onOperation = () => undefined;
        await delivery.restart();
        await finish(delivery);
        expectBalance(delivery, `killed at ${fatal}, then at ${again}`);
      }
    }
  });

  test('for any sequence of failures, external rotations, kills and power failures', async () => {
    const action = fc.oneof(
      {
        weight: 6,
        arbitrary: fc.record({ do: fc.constant('emit' as const), count: fc.integer({ min: 1, max: 6 }) }),
      },
      { weight: 4, arbitrary: fc.record({ do: fc.constant('flush' as const) }) },
      { weight: 4, arbitrary: fc.record({ do: fc.constant('commit' as const) }) },
      { weight: 1, arbitrary: fc.record({ do: fc.constant('kill' as const) }) },
      {
        weight: 1,
        arbitrary: fc.record({
          do: fc.constant('power' as const),
          luck: fc.array(fc.boolean(), { maxLength: 6 }),
        }),
      },
      { weight: 1, arbitrary: fc.record({ do: fc.constant('hangup' as const), file: fc.nat(2) }) },
      {
        weight: 3,
        arbitrary: fc.record({
          do: fc.constant('fail' as const),
          after: fc.integer({ min: 0, max: 8 }),
          times: fc.integer({ min: 1, max: 3 }),
          takenBytes: fc.option(fc.integer({ min: 1, max: 30 }), { nil: undefined }),
        }),
      },
    );
    const actions = fc.array(action, { minLength: 5, maxLength: 40 });
    await fc.assert(
      fc.asyncProperty(actions, fc.integer({ min: 1, max: 3 }), async (steps, fileCount) => {
        const delivery = new Delivery(await configuration({ max_open_files: 2 }), fileCount);
        const { disk } = delivery;
        await delivery.start();
        for (const step of steps) {
          if (step.do === 'emit') await delivery.emit(step.count);
          if (step.do === 'flush') await delivery.flush();
          if (step.do === 'commit') await delivery.commit();
          if (step.do === 'kill') await delivery.restart();
          if (step.do === 'power') {
            const luck = [...step.luck];
            disk.cutPower(() => luck.pop() ?? false);
            await delivery.restart();
          }
          if (step.do === 'hangup') {
            await moveAway(disk, delivery.path(step.file));
            await delivery.reopen();
          }
          if (step.do === 'fail') disk.onOperation = failing(step);
        }
        disk.onOperation = () => undefined;
        await delivery.restart();
        await finish(delivery);
        expectBalance(delivery, 'in the end');
      }),
      { numRuns: 400 },
    );
  });
});

function failing({
  after,
  times,
  takenBytes,
}: {
  readonly after: number;
  readonly times: number;
  readonly takenBytes: number | undefined;
}) {
  let operation = 0;
  return () => {
    operation++;
    if (operation <= after || operation > after + times) return undefined;
    return takenBytes === undefined ? { code: 'ENOSPC' } : { code: 'ENOSPC', takenBytes };
  };
}

/** Renames to the next number, as logrotate does. */
async function moveAway(disk: MemoryDisk, path: string): Promise<void> {
  const directory = path.slice(0, path.lastIndexOf('/'));
  const onOperation = disk.onOperation;
  disk.onOperation = () => undefined;
  const prefix = `${path.slice(directory.length + 1)}.`;
  const numbers = (await disk.list(directory)).map((name) =>
    name.startsWith(prefix) ? Number(name.slice(prefix.length)) : 0,
  );
  if ((await disk.stat(path)) !== undefined)
    await disk.rename(path, `${path}.${Math.max(0, ...numbers) + 1}`);
  await disk.syncDirectory(directory);
  disk.onOperation = onOperation;
}
