import type { Environment } from './configuration/configuration.ts';

/** File descriptors of sockets that the service manager has opened, by their names. */
export type InheritedSockets = ReadonlyMap<string, readonly number[]>;

/**
 * Reads the variables of socket activation, sd_listen_fds(3). They are for this process only if `LISTEN_PID` is its id:
 * a child process inherits the variables, but not the sockets. Sockets without a name are `unknown`.
 */
export function inheritedSockets(
  { LISTEN_PID: pid, LISTEN_FDS: fds = '', LISTEN_FDNAMES: names = '' }: Environment,
  processId: number,
): InheritedSockets {
  const sockets = new Map<string, number[]>();
  const count = /^[0-9]{1,4}$/.test(fds) ? Number(fds) : 0;
  if (pid !== String(processId)) return sockets;
  const nameOf = names.split(':');
  for (let index = 0; index < count; index++) {
    const name = nameOf[index] || 'unknown';
    sockets.set(name, [...(sockets.get(name) ?? []), FIRST_FD + index]);
  }
  return sockets;
}

/** SD_LISTEN_FDS_START */
const FIRST_FD = 3;
