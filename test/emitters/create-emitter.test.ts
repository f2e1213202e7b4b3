import { mkdir, readFile, rename, rmdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import { createEmitter, decorate, type EmitterDecorator } from '../../src/emitters/create-emitter.ts';
import type { Emitter, EmitterType, FlushOutcome } from '../../src/emitters/emitter.ts';
import { fileType } from '../../src/emitters/file/type.ts';
import { DELIVERED, type Outcome } from '../../src/emitters/outcome.ts';
import { emitterTypes } from '../../src/emitters/registry.ts';
import { batchOf } from '../../src/records/batch.ts';
import { systemClock } from '../../src/runtime/clock.ts';
import { emitterEnvironment } from '../support/emitter-environment.ts';
import { MemoryEmitter } from '../support/memory-emitter.ts';
import { lines, recordBatch } from '../support/record-batches.ts';
import { temporaryDirectory } from '../support/temporary-directory.ts';
import { THREAD_ARGUMENTS } from '../support/thread-arguments.ts';

const never = new AbortController().signal;

/** A type with this emitter, in the thread of the test. */
function typeOf(emitter: Emitter): EmitterType {
  return {
    type: 'memory',
    variable: 'AGGREGATOR_MEMORY_CONFIGURATION',
    description: 'keeps records in memory',
    example: '{}',
    shape: {},
    guarantee: 'exactly-once',
    parse: () => [],
    create: () => emitter,
  };
}

describe('createEmitter', () => {
  it('returns retry and logs when the emitter throws, and measures the call', async () => {
    const environment = emitterEnvironment();
    const memory = new MemoryEmitter();
    memory.onEmit = () => {
      throw new TypeError('x is undefined');
    };
    const emitter = await createEmitter({ type: typeOf(memory), configuration: {}, environment });
    await emitter.start();
    expect(await emitter.emit(batchOf([recordBatch(lines(1))]), never)).toEqual({
      kind: 'retry',
      reason: 'x is undefined',
    });
    expect(environment.logs).toMatchObject([{ level: 50 }]);
    expect(await environment.metrics.metrics()).toContain(
      'aggregator_emitter_delivery_duration_seconds_count{emitter="test"} 1',
    );
  });

  it('keeps the database of a store', async () => {
    for (const { type, dialect } of emitterTypes.filter(({ dialect }) => dialect !== undefined)) {
      const registered = emitterTypes.find((each) => each.type === type);
      const [configured] = registered?.parse(registered.example) ?? [];
      if (registered === undefined || configured === undefined) throw new Error(`cannot configure ${type}`);
      const { configuration } = configured;
      const emitter = await createEmitter({
        type: registered,
        configuration,
        environment: emitterEnvironment(),
      });
      expect(emitter.database?.dialect).toBe(dialect);
    }
  });

  it('calls the decorators from the first to the last, then the emitter', async () => {
    const calls: string[] = [];
    const noting =
      (name: string): EmitterDecorator =>
      (inner) => ({
        start: () => inner.start(),
        emit: (...call) => {
          calls.push(name);
          return inner.emit(...call);
        },
        flush: (...call) => inner.flush(...call),
        stop: (...call) => inner.stop(...call),
      });
    const memory = new MemoryEmitter();
    memory.onEmit = () => {
      calls.push('emitter');
      return DELIVERED;
    };
    const emitter = decorate(memory, [noting('first'), noting('last')], emitterEnvironment());
    await emitter.emit(batchOf([recordBatch(lines(1))]), never);
    expect(calls).toEqual(['first', 'last', 'emitter']);
  });
});

describe('the file emitter with and without a worker thread', () => {
  interface Result {
    readonly outcomes: readonly (Outcome | FlushOutcome | undefined)[];
    readonly logs: readonly (string | undefined)[];
    readonly files: readonly string[];
  }

  /** Runs the same calls and disturbances; paths and inodes are left out of the result. */
  async function run(inThread: boolean): Promise<Result> {
    const directory = await temporaryDirectory();
    const path = join(directory, 'out.log');
    const environment = emitterEnvironment({ clock: systemClock });
    const [configured] = fileType.parse(JSON.stringify({ path }));
    const emitter = await createEmitter(
      {
        type: { ...(fileType as EmitterType), ...(inThread && { inThread }) },
        configuration: configured?.configuration,
        environment,
      },
      THREAD_ARGUMENTS,
    );
    onTestFinished(() => emitter.stop(AbortSignal.timeout(5000)));
    const batch = (name: string) => batchOf([recordBatch(lines(3, name))]);
    const outcomes: (Outcome | FlushOutcome | undefined)[] = [];
    const note = async (outcome: Promise<Outcome | FlushOutcome>) => outcomes.push(await outcome);

    await note(emitter.emit(batch('too early'), never));
    await mkdir(path);
    await emitter.start();
    await note(emitter.emit(batch('refused'), never));
    await rmdir(path);
    await writeFile(path, 'of another program\n');
    await note(emitter.emit(batch('one'), never));
    await note(emitter.flush(never));
    await emitter.committed?.();
    await rename(path, `${path}.old`);
    await emitter.reopen?.();
    await note(emitter.emit(batch('two'), never));
    await note(emitter.flush(never));
    await note(emitter.emit(batch('unflushed'), never));
    await emitter.stop(AbortSignal.timeout(5000));
    await note(emitter.flush(never));
    return {
      outcomes: JSON.parse(anonymous(JSON.stringify(outcomes), directory)) as Result['outcomes'],
      logs: environment.logs.map(({ msg }) => msg),
      files: await Promise.all([path, `${path}.old`].map((file) => readFile(file, 'utf8'))),
    };
  }

  function anonymous(text: string, directory: string): string {
    return text.replaceAll(directory, '').replaceAll(/"(device|inode)":"\d+"/g, '"$1":""');
  }

  it('returns the same outcomes, logs the same lines and writes the same files', async () => {
    const direct = await run(false);
    expect(direct.outcomes.map((outcome) => outcome?.kind)).toEqual([
      'retry',
      'retry',
      'delivered',
      'delivered',
      'delivered',
      'delivered',
      'delivered',
      'retry',
    ]);
    expect(direct.files).toEqual(['two 0\ntwo 1\ntwo 2\n', 'of another program\none 0\none 1\none 2\n']);
    expect(await run(true)).toEqual(direct);
  });
});
