import type { ServeRecord } from '../../../protocols/febe/parse-serves.ts';

/** A serve record without its credential: a collector only receives records, so it needs none. */
export type Tenant = Omit<ServeRecord, 'credential'>;

export function tenantOf({ identity, path, name }: ServeRecord): Tenant {
  return { identity, path, name };
}
