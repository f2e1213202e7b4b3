import type { Tenant } from './tenant.ts';

/** What the journal knows a tenant's stream by: there is one for each identity and socket. */
export function originOf({ identity, path }: Tenant): string {
  return JSON.stringify([identity, path]);
}

/** The same, for people: `/run/db1.sock (db1)`. */
export function originText(origin: string): string {
  const [identity, path] = JSON.parse(origin) as [string, string];
  return identity === '' ? path : `${path} (${identity})`;
}
