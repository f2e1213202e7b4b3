import { randomBytes } from 'node:crypto';
import type { StateStore } from '../storage/state/state-store.ts';

/** The identity of a process among all processes that use a state, one after another. */
export interface Instance {
  readonly instance: bigint;
  /** Undefined at the first start with this state. */
  readonly previousInstance: bigint | undefined;
}

/**
 * A random number for this start. It is stored, so that the next start can name it as its predecessor: the aggregator
 * can then distinguish a restart from a copy of the state (`CollectorInstances`).
 */
export async function nextInstance(store: StateStore): Promise<Instance> {
  const table = store.table<string>('collector');
  const previous = table.get(KEY);
  const instance = randomBytes(8).readBigUInt64LE();
  await store.write(() => table.put(KEY, String(instance)));
  return { instance, previousInstance: previous === undefined ? undefined : BigInt(previous) };
}

const KEY = 'instance';
