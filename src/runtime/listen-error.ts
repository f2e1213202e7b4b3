export interface ListenPlace {
  /** `collectors`, `metrics and health` */
  readonly purpose: string;
  readonly address: string;
  /** The variable that sets the address. */
  readonly variable?: string | undefined;
}

/** An error for a failed listen, with the system's reason, the purpose of the address, and its variable. */
export function listenError({ purpose, address, variable }: ListenPlace, cause: Error): Error {
  const code = /\bE[A-Z]{3,}\b/.exec(cause.message)?.[0] ?? '';
  const meaning = MEANINGS.get(code);
  const reason = meaning === undefined ? cause.message : `${meaning} (${code})`;
  const remedy = variable === undefined ? '' : `. Set ${variable} to another address`;
  return new Error(`Cannot listen at ${address} for ${purpose}: ${reason}${remedy}`, { cause });
}

const MEANINGS: ReadonlyMap<string, string> = new Map([
  ['EADDRINUSE', 'another process is listening there'],
  ['EADDRNOTAVAIL', 'this machine does not have the address'],
  ['EACCES', 'permission denied'],
]);
