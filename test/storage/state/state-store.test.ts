import { execFileSync } from 'node:child_process';
import { existsSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, onTestFinished, test } from 'vitest';
import type { Json } from '../../../src/records/json.ts';
import { openStateStore, type StateStore, type TableEntry } from '../../../src/storage/state/state-store.ts';
import { StateStoreError } from '../../../src/storage/state/state-store-error.ts';
import { temporaryDirectory } from '../../support/temporary-directory.ts';

async function openStore(directory?: string): Promise<StateStore> {
  const store = await openStateStore(directory ?? (await temporaryDirectory()));
  onTestFinished(() => store.close());
  return store;
}

function pairs(entries: Iterable<TableEntry<Json>>): [unknown, Json][] {
  return [...entries].map(({ key, value }) => [key, value]);
}

describe('a write', () => {
  test('is visible after it resolves, and after the store was reopened', async () => {
    const directory = await temporaryDirectory();
    const store = await openStore(directory);
    const cars = store.table<{ doors: number }>('cars');
    await store.write(() => cars.put('fiat', { doors: 3 }));
    expect(cars.get('fiat')).toEqual({ doors: 3 });
    await store.close();
    const again = await openStore(directory);
    expect(again.table('cars').get('fiat')).toEqual({ doors: 3 });
    expect(again.table('trains').get('fiat')).toBeUndefined();
  });

  test('removes existing and missing keys', async () => {
    const store = await openStore();
    const table = store.table<number>('t');
    await store.write(() => table.put('a', 1));
    await store.write(() => {
      table.remove('a');
      table.remove('b');
    });
    expect(table.get('a')).toBeUndefined();
  });

  test('sees its own values, and those of earlier changes', async () => {
    const store = await openStore();
    const table = store.table<number>('t');
    const increment = () => table.put('n', (table.get('n') ?? 0) + 1);
    await Promise.all(Array.from({ length: 100 }, () => store.write(increment)));
    await store.write(() => {
      increment();
      increment();
    });
    expect(table.get('n')).toBe(102);
  });

  test('has no effect when it throws, and does not affect others of its commit', async () => {
    const store = await openStore();
    const table = store.table<number>('t');
    const cause = new Error('no');
    const [good, bad, alsoGood] = await Promise.allSettled([
      store.write(() => table.put('a', 1)),
      store.write(() => {
        table.put('a', 2);
        table.put('b', 2);
        throw cause;
      }),
      store.write(() => table.put('c', table.get('a') ?? 0)),
    ]);
    expect(good.status).toBe('fulfilled');
    expect(alsoGood.status).toBe('fulfilled');
    expect(bad).toMatchObject({ status: 'rejected', reason: { name: 'StateStoreError', cause } });
    expect(pairs(table.entries())).toEqual([
      ['a', 1],
      ['c', 1],
    ]);
  });

  test('may be large: thousands of entries in one transaction', async () => {
    const store = await openStore();
    const table = store.table<string>('t');
    await store.write(() => {
      for (let i = 0; i < 20_000; i++) table.put(i, 'x'.repeat(100));
    });
    expect([...table.entries()].length).toBe(20_000);
  });

  test('put and remove outside a change are programmer errors', async () => {
    const store = await openStore();
    const table = store.table<number>('t');
    expect(() => table.put('a', 1)).toThrow(/inside a change/);
    expect(() => table.remove('a')).toThrow(/inside a change/);
    await expect(store.write(() => void [...table.entries()])).rejects.toThrow(StateStoreError);
    await expect(store.write(() => table.put('k'.repeat(700), 1))).rejects.toThrow(/too long/);
  });

  test('is rejected after close, which waits for earlier writes', async () => {
    const directory = await temporaryDirectory();
    const store = await openStore(directory);
    const table = store.table<number>('t');
    const written = store.write(() => table.put('a', 1));
    await store.close();
    await store.close();
    await written;
    await expect(store.write(() => table.put('b', 1))).rejects.toThrow(StateStoreError);
    expect(() => table.get('a')).toThrow(StateStoreError);
    expect((await openStore(directory)).table('t').get('a')).toBe(1);
  });
});

describe('entries', () => {
  async function filled() {
    const store = await openStore();
    const table = store.table<number>('t');
    const other = store.table<number>('u');
    await store.write(() => {
      other.put('outside', 0);
      for (const key of [10, 9, 'b', 'a', 'ab']) table.put(key, 1);
      table.put(['a', 2], 2);
      table.put(['a', 1, 'x'], 3);
      table.put(['ab', 1], 4);
      table.put(['a', 'é'], 5);
    });
    return table;
  }

  test('are in the order of their keys', async () => {
    const table = await filled();
    const ascending = [9, 10, 'a', ['a', 1, 'x'], ['a', 2], ['a', 'é'], 'ab', ['ab', 1], 'b'];
    expect(pairs(table.entries()).map(([key]) => key)).toEqual(ascending);
    expect(pairs(table.entries({ reverse: true })).map(([key]) => key)).toEqual(ascending.toReversed());
  });

  test('of a prefix of whole elements', async () => {
    const table = await filled();
    const expected = [
      ['a', 1, 'x'],
      ['a', 2],
      ['a', 'é'],
    ];
    expect(pairs(table.entries({ prefix: 'a' })).map(([key]) => key)).toEqual(['a', ...expected]);
    expect(pairs(table.entries({ prefix: ['a'], reverse: true, limit: 2 })).map(([key]) => key)).toEqual([
      ['a', 'é'],
      ['a', 2],
    ]);
    expect(pairs(table.entries({ prefix: ['zzz'] }))).toEqual([]);
  });

  test('from start to before end, either way', async () => {
    const table = await filled();
    const keys = (selection: object) => pairs(table.entries(selection)).map(([key]) => key);
    expect(keys({ start: 9, end: 10 })).toEqual([9]);
    expect(keys({ start: 9, end: 'ab', limit: 3 })).toEqual([9, 10, 'a']);
    expect(keys({ start: 10, end: 'a', reverse: true })).toEqual([10]);
    expect(keys({ end: 'b', reverse: true, limit: 1 })).toEqual([['ab', 1]]);
  });
});

describe('when the disk fails', () => {
  const prlimit = '/usr/bin/prlimit';

  test.skipIf(!existsSync(prlimit))('the write fails, nothing is changed, and later ones work', async () => {
    const directory = await temporaryDirectory();
    const outcomes: (string | undefined)[] = [];
    const store = await openStateStore(directory, { onCommit: (failure) => outcomes.push(failure?.name) });
    onTestFinished(() => store.close());
    const table = store.table<string>('t');
    await store.write(() => table.put('before', 'x'));
    const unhandled: unknown[] = [];
    const note = (reason: unknown) => void unhandled.push(reason);
    process.on('unhandledRejection', note);
    process.on('SIGXFSZ', note);
    const limit = (bytes: number | 'unlimited') =>
      execFileSync(prlimit, [`--pid=${process.pid}`, `--fsize=${bytes}:unlimited`]);
    onTestFinished(() => {
      limit('unlimited');
      process.off('unhandledRejection', note);
      process.off('SIGXFSZ', note);
    });

    limit(statSync(join(directory, 'data.mdb')).size);
    const fill = () => {
      for (let i = 0; i < 1000; i++) table.put(i, 'x'.repeat(1000));
    };
    await expect(store.write(fill)).rejects.toThrow(StateStoreError);
    const [first, second] = await Promise.allSettled([store.write(fill), store.write(fill)]);
    expect([first.status, second.status]).toEqual(['rejected', 'rejected']);
    expect([...table.entries()]).toEqual([{ key: 'before', value: 'x' }]);

    limit('unlimited');
    await store.write(fill);
    expect([...table.entries()].length).toBe(1001);
    expect(outcomes).toEqual([undefined, 'StateStoreError', 'StateStoreError', undefined]);
    expect(unhandled.filter((reason) => reason instanceof Error)).toEqual([]);
  });
});
