/** An error for a failed listen, with the system's reason and the purpose of the address. */
export function listenError(purpose: string, address: string, cause: Error): Error {
  const code = /\bE[A-Z]{3,}\b/.exec(cause.message)?.[0] ?? '';
  const meaning = MEANINGS.get(code);
  const reason = meaning === undefined ? cause.message : `${meaning} (${code})`;
  return new Error(`Cannot listen at ${address} for ${purpose}: ${reason}`, { cause });
}

const MEANINGS: ReadonlyMap<string, string> = new Map([
  ['EADDRINUSE', 'another process is listening there'],
  ['EADDRNOTAVAIL', 'this machine does not have the address'],
  ['EACCES', 'permission denied'],
]);
