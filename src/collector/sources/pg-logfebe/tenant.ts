import type { ServeRecord } from '../../../protocols/febe/parse-serves.ts';

/** A serve record without its credential: a collector takes records in, and delivers nothing that would need it. */
export type Tenant = Omit<ServeRecord, 'credential'>;

export function tenantOf({ identity, path, name }: ServeRecord): Tenant {
  return { identity, path, name };
}
