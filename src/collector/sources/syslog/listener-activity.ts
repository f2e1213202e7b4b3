/** The senders of a listener and its losses, for the status. */
export interface ListenerActivity {
  readonly clients: readonly ListenerClient[];
  /** Open connections; absent without connections. */
  readonly connections?: number;
  /** UDP messages that did not reach the journal, since the start. */
  readonly dropped?: { readonly kernel: number; readonly thread: number };
}

export interface ListenerClient {
  readonly address: string;
  /** Its open connections, or the ports from which it has sent lately. */
  readonly sockets: number;
}

/** Counts each address; those with most sockets first. */
export function countedClients(addresses: Iterable<string>): readonly ListenerClient[] {
  const counts = new Map<string, number>();
  for (const address of addresses) counts.set(address, (counts.get(address) ?? 0) + 1);
  return Array.from(counts, ([address, sockets]) => ({ address, sockets })).toSorted(
    (a, b) => b.sockets - a.sockets || (a.address < b.address ? -1 : 1),
  );
}
