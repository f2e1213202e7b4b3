/** The system's word for what is wrong with an address, in a sentence that says which of ours it is. */
export function listenError(purpose: string, address: string, cause: Error): Error {
  const code = /\bE[A-Z]{3,}\b/.exec(cause.message)?.[0] ?? '';
  const meaning = MEANINGS.get(code);
  const reason = meaning === undefined ? cause.message : `${meaning} (${code})`;
  return new Error(`Cannot listen at ${address} for ${purpose}: ${reason}`, { cause });
}

const MEANINGS: ReadonlyMap<string, string> = new Map([
  ['EADDRINUSE', 'another process listens there'],
  ['EADDRNOTAVAIL', 'this machine does not have the address'],
  ['EACCES', 'this user may not'],
]);
