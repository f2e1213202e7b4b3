import { copyFile, mkdir, mkdtemp, readFile, rm, truncate, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { beforeAll, describe, expect, test } from 'vitest';
import type { Json } from '../../../src/records/json.ts';
import { assertLmdbFile } from '../../../src/storage/state/lmdb-file.ts';
import { openStateStore, type StateStore } from '../../../src/storage/state/state-store.ts';
import { StateStoreError } from '../../../src/storage/state/state-store-error.ts';
import { temporaryDirectory } from '../../support/temporary-directory.ts';
import { Random } from '../random.ts';

const PAGE_BYTES = 4096;
const TABLES = ['cursor', 'entry', 'stream'];
const LAST_PAGE_OFFSET = 144;

let file: Buffer;
let rows: string;
let usedBytes: number;

/** Everything in the store. */
function rowsOf(store: StateStore): string {
  return JSON.stringify(TABLES.map((name) => [...store.table<Json>(name).entries()]));
}

beforeAll(async () => {
  const directory = await mkdtemp(join(tmpdir(), 'mega-collector-test-'));
  const store = await openStateStore(directory, { stepBytes: 64 * 1024 });
  const [cursors, entries, streams] = TABLES.map((name) => store.table<Json>(name));
  for (let turn = 0; turn < 40; turn++) {
    await store.write(() => {
      cursors?.put('file', { entry: turn, state: 'x'.repeat(turn * 3) });
      for (let i = 0; i < 30; i++) entries?.put(turn * 30 + i, { offset: i, stream: `s${i}` });
      if (turn > 20) for (let i = 0; i < 30; i++) entries?.remove((turn - 20) * 30 + i);
      streams?.put(['stream', turn], { ranges: Array.from({ length: turn === 7 ? 2000 : 10 }, (_, i) => i) });
    });
  }
  rows = rowsOf(store);
  await store.close();
  file = await readFile(join(directory, 'data.mdb'));
  await rm(directory, { recursive: true });
  usedBytes = PAGE_BYTES * (Math.max(lastPage(0), lastPage(1)) + 1);
});

function lastPage(meta: number): number {
  return Number(file.readBigUInt64LE(meta * PAGE_BYTES + LAST_PAGE_OFFSET));
}

/**
 * Opens a copy with these bytes. `found`: the store refuses it. `same`: it has the rows, also after more
 * commits.
 */
async function outcomeOf(copy: string, damaged: Buffer): Promise<'found' | 'same' | 'other rows'> {
  await writeFile(join(copy, 'data.mdb'), damaged);
  const store = await openStateStore(copy, { stepBytes: 64 * 1024 }).catch((error: unknown) => {
    expect(error).toBeInstanceOf(StateStoreError);
    expect(String(error)).toContain(join(copy, 'data.mdb'));
  });
  if (store === undefined) return 'found';
  try {
    if (rowsOf(store) !== rows) return 'other rows';
    const more = store.table<Json>('more');
    for (let turn = 0; turn < 3; turn++) {
      await store.write(() => {
        for (let i = 0; i < 40; i++) more.put(i, 'y'.repeat(300 + turn));
      });
    }
    return rowsOf(store) === rows ? 'same' : 'other rows';
  } finally {
    await store.close();
  }
}

async function emptyCopy(): Promise<string> {
  const copy = join(await temporaryDirectory(), 'state');
  await mkdir(copy);
  return copy;
}

function withByte(offset: number, change: number): Buffer {
  const damaged = Buffer.from(file);
  damaged[offset] = (damaged[offset] ?? 0) ^ change;
  return damaged;
}

describe('one changed byte', () => {
  test('anywhere in the file is detected, or changes no row', { timeout: 120_000 }, async () => {
    const seed = Math.floor(Math.random() * 1e6);
    const random = new Random(seed);
    const copy = await emptyCopy();
    let found = 0;
    for (let round = 0; round < 250; round++) {
      const offset = random.integer(0, usedBytes - 1);
      const change = random.integer(1, 255);
      const outcome = await outcomeOf(copy, withByte(offset, change));
      expect(outcome, `seed ${seed}, byte ${offset}, change ${change}`).not.toBe('other rows');
      if (outcome === 'found') found++;
    }
    expect(found).toBeGreaterThan(25);
  });

  test('in a meta page is detected, or changes no row', { timeout: 120_000 }, async () => {
    const seed = Math.floor(Math.random() * 1e6);
    const random = new Random(seed);
    const copy = await emptyCopy();
    for (const page of [0, 1]) {
      for (let offset = 0; offset < 168; offset++) {
        const change = random.chance(0.5) ? 1 << random.integer(0, 7) : random.integer(1, 255);
        const outcome = await outcomeOf(copy, withByte(page * PAGE_BYTES + offset, change));
        expect(outcome, `seed ${seed}, page ${page}, byte ${offset}, change ${change}`).not.toBe(
          'other rows',
        );
      }
    }
  });

  test('in the number of a transaction never restores an older state', async () => {
    const copy = await emptyCopy();
    const outcomes = new Set<string>();
    for (const page of [0, 1]) {
      for (let change = 1; change < 256; change++) {
        outcomes.add(await outcomeOf(copy, withByte(page * PAGE_BYTES + 152, change)));
      }
    }
    expect([...outcomes]).toEqual(['found']);
  });
});

describe('a file that LMDB would crash on', () => {
  const zeroed = (from: number, bytes: number) => {
    const damaged = Buffer.from(file);
    damaged.fill(0, from, from + bytes);
    return damaged;
  };

  test.each([
    ['a meta page of zeros', () => zeroed(0, PAGE_BYTES)],
    [
      'the other meta page full of ones',
      () => Buffer.from(file).fill(0xff, PAGE_BYTES + 40, PAGE_BYTES + 200),
    ],
    ['no second page', () => file.subarray(0, PAGE_BYTES)],
    ['pages that are missing at its end', () => file.subarray(0, PAGE_BYTES * 10)],
    ['text instead of a database', () => Buffer.from('this is no database')],
  ])('is rejected: %s', async (_, damaged) => {
    expect(await outcomeOf(await emptyCopy(), damaged())).toBe('found');
  });

  test('is rejected: any used page of zeros', async () => {
    const copy = await emptyCopy();
    const outcomes: string[] = [];
    for (let from = 2 * PAGE_BYTES; from < usedBytes; from += PAGE_BYTES) {
      outcomes.push(await outcomeOf(copy, zeroed(from, PAGE_BYTES)));
    }
    expect(outcomes).toContain('found');
    expect(outcomes).not.toContain('other rows');
  });
});

describe('a sound file', () => {
  test('is accepted after each of many transactions, and after it was opened again', async () => {
    const seed = Math.floor(Math.random() * 1e6);
    const random = new Random(seed);
    const place = join(await temporaryDirectory(), 'state');
    let store = await openStateStore(place, { stepBytes: 64 * 1024 });
    for (let turn = 0; turn < 150; turn++) {
      const table = store.table<string>(random.chance(0.5) ? 'a' : 'b');
      await store.write(() => {
        for (let i = random.integer(1, 60); i > 0; i--) {
          const key = random.integer(1, 800);
          if (random.chance(0.4)) table.remove(key);
          else table.put(key, 'v'.repeat(random.integer(0, random.chance(0.05) ? 20_000 : 300)));
        }
      });
      await expect(assertLmdbFile(place), `seed ${seed}, turn ${turn}`).resolves.toBeUndefined();
      if (!random.chance(0.1)) continue;
      await store.close();
      store = await openStateStore(place, { stepBytes: 64 * 1024 });
    }
    await store.close();
  });

  test('is accepted when it is empty or missing', async () => {
    const place = await emptyCopy();
    await expect(assertLmdbFile(place)).resolves.toBeUndefined();
    await copyFile('/dev/null', join(place, 'data.mdb'));
    await expect(assertLmdbFile(place)).resolves.toBeUndefined();
    await truncate(join(place, 'data.mdb'), 0);
    await (await openStateStore(place)).close();
    await expect(assertLmdbFile(place)).resolves.toBeUndefined();
  });
});
