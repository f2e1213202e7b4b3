import { readdir, readFile, readlink } from 'node:fs/promises';

/**
 * The messages that the kernel dropped for the UDP socket of this process at a port, since the socket was
 * opened. The kernel counts them exactly. undefined where there is no /proc.
 */
export class KernelDrops {
  readonly #table: string;
  readonly #inode: string;
  #seen = 0;

  private constructor(table: string, inode: string) {
    this.#table = table;
    this.#inode = inode;
  }

  /** Finds the socket by its port and the open files of this process. */
  static async ofPort(port: number, isIPv6: boolean): Promise<KernelDrops | undefined> {
    const table = isIPv6 ? '/proc/net/udp6' : '/proc/net/udp';
    const hex = port.toString(16).toUpperCase().padStart(4, '0');
    try {
      const own = await ownInodes();
      const row = udpRows(await readFile(table, 'latin1')).find(
        ({ local, inode }) => local.endsWith(`:${hex}`) && own.has(inode),
      );
      return row && new KernelDrops(table, row.inode);
    } catch {
      return undefined;
    }
  }

  /** The number since the last call. */
  async taken(): Promise<number> {
    try {
      const rows = udpRows(await readFile(this.#table, 'latin1'));
      const drops = rows.find(({ inode }) => inode === this.#inode)?.drops ?? this.#seen;
      const grown = drops - this.#seen;
      this.#seen = drops;
      return Math.max(0, grown);
    } catch {
      return 0;
    }
  }
}

interface UdpRow {
  readonly local: string;
  readonly inode: string;
  readonly drops: number;
}

/** `sl local rem st queues tr:tm retrnsmt uid timeout inode ref pointer drops` */
export function udpRows(text: string): readonly UdpRow[] {
  return text
    .split('\n')
    .slice(1)
    .map((line) => line.trim().split(/\s+/))
    .filter((columns) => columns.length >= 13)
    .map((columns) => ({ local: columns[1] ?? '', inode: columns[9] ?? '', drops: Number(columns[12]) }));
}

async function ownInodes(): Promise<ReadonlySet<string>> {
  const inodes = new Set<string>();
  for (const fd of await readdir('/proc/self/fd')) {
    const target = await readlink(`/proc/self/fd/${fd}`).catch(() => '');
    const inode = /^socket:\[([0-9]+)\]$/.exec(target)?.[1];
    if (inode !== undefined) inodes.add(inode);
  }
  return inodes;
}
