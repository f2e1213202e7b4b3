import type { StateStore } from './state-store.ts';

/**
 * The store for a command that only looks. Changes are discarded: the command may see other files at the paths of the
 * state than its owner does (a container, another mount), and the owner must not find that later.
 */
export function readOnlyStore(store: StateStore): StateStore {
  return {
    table: (name) => store.table(name),
    write: () => Promise.resolve(),
    close: () => store.close(),
  };
}
