import type { Tenant } from './tenant.ts';

/** The name of a tenant's stream in the journal: there is one stream for each identity and socket. */
export function originOf({ identity, path }: Tenant): string {
  return JSON.stringify([identity, path]);
}

/** The name of a stream for people: `/run/db1.sock (db1)`. */
export function originText(origin: string): string {
  const [identity, path] = JSON.parse(origin) as [string, string];
  return identity === '' ? path : `${path} (${identity})`;
}
