import { randomBytes } from 'node:crypto';
import type { StateStore } from '../storage/state/state-store.ts';

/**
 * The id of this collector: created at its first start, and flushed before it is used. An aggregator binds a
 * collector's streams to its id, so two collectors must never share a copy of one state directory.
 */
export async function collectorId(store: StateStore): Promise<Buffer> {
  const table = store.table<string>('collector');
  const known = table.get(KEY);
  if (known !== undefined) return Buffer.from(known, 'hex');
  const minted = randomBytes(COLLECTOR_ID_BYTES);
  await store.write(() => table.put(KEY, minted.toString('hex')));
  return minted;
}

const COLLECTOR_ID_BYTES = 16;
const KEY = 'id';
