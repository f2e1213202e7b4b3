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
 * A delivery in small: records come from a list, the cursor and the state are committed together, and whatever goes
 * wrong, delivery goes back to what is committed. In the end the files hold the list, each record once, in order.
 */
class Delivery {
  readonly disk = new MemoryDisk();
  readonly configuration: FileConfiguration;
  readonly records: string[] = [];
  #emitter: FileEmitter | undefined;
  #committed: { cursor: number; state: EmitterState | undefined } = { cursor: 0, state: undefined };
  #flushed: { cursor: number; state: EmitterState | undefined } | undefined;
  #cursor = 0;

  constructor(configuration: FileConfiguration) {
    this.configuration = configuration;
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
    const records = Array.from({ length: count }, (_, index) => this.#record(this.#cursor + index));
    const outcome = await this.#emitter?.emit(batchOf([recordBatch(records)]));
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
    // What is dead commits nothing.
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

  /** After the process or the machine died. */
  async restart(): Promise<void> {
    this.disk.kill();
    await this.stop();
    this.disk.revive();
    await this.start();
  }

  get expected(): string {
    return this.records.slice(0, this.#committed.cursor).join('');
  }

  #record(index: number): string {
    this.records[index] ??= `record ${index} ${'x'.repeat(index % 7)}\n`;
    return this.records[index];
  }
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
    // The lock wants a directory that is there; the files are in memory.
    path: join(await temporaryDirectory(), 'out.log'),
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

async function finish(delivery: Delivery): Promise<void> {
  await delivery.emit(3);
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
  test('killed at every operation on the disk, writes torn', async () => {
    const operations = await operationsOf(script);
    expect(operations).toBeGreaterThan(50);
    for (let fatal = 1; fatal <= operations; fatal++) {
      for (const takenBytes of [0, 5]) {
        const delivery = new Delivery(await configuration());
        let operation = 0;
        delivery.disk.onOperation = (name) => {
          operation++;
          // A torn write is one that ends short, with death in the next operation.
          if (operation === fatal && name === 'write' && takenBytes > 0) return { code: 'EIO', takenBytes };
          if (operation >= fatal) delivery.disk.kill();
          return undefined;
        };
        await script(delivery);
        delivery.disk.onOperation = () => undefined;
        await delivery.restart();
        await finish(delivery);
        expect(outputOf(delivery.disk, delivery.configuration.path), `killed at operation ${fatal}`).toBe(
          delivery.expected,
        );
      }
    }
  });

  test('without power at every operation on the disk', async () => {
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
      expect(outputOf(delivery.disk, delivery.configuration.path), `power cut at operation ${fatal}`).toBe(
        delivery.expected,
      );
    }
  });

  test('killed at every operation of the restart as well', async () => {
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
        expect(
          outputOf(delivery.disk, delivery.configuration.path),
          `killed at ${fatal}, then at ${again}`,
        ).toBe(delivery.expected);
      }
    }
  });

  test('through any course of failures, rotations from outside, kills and power cuts', async () => {
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
      { weight: 1, arbitrary: fc.record({ do: fc.constant('hangup' as const) }) },
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
    await fc.assert(
      fc.asyncProperty(fc.array(action, { minLength: 5, maxLength: 40 }), async (actions) => {
        const delivery = new Delivery(await configuration());
        const { disk } = delivery;
        const { path } = delivery.configuration;
        await delivery.start();
        for (const step of actions) {
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
            await moveAway(disk, path);
            await delivery.reopen();
          }
          if (step.do === 'fail') disk.onOperation = failing(step);
        }
        disk.onOperation = () => undefined;
        await delivery.restart();
        await finish(delivery);
        expect(outputOf(disk, path)).toBe(delivery.expected);
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

/** As logrotate does it, under the number that comes next. */
async function moveAway(disk: MemoryDisk, path: string): Promise<void> {
  const directory = path.slice(0, path.lastIndexOf('/'));
  const onOperation = disk.onOperation;
  disk.onOperation = () => undefined;
  const numbers = (await disk.list(directory)).map((name) =>
    Number(/^out\.log\.(\d+)$/.exec(name)?.[1] ?? 0),
  );
  if ((await disk.stat(path)) !== undefined)
    await disk.rename(path, `${path}.${Math.max(0, ...numbers) + 1}`);
  await disk.syncDirectory(directory);
  disk.onOperation = onOperation;
}
