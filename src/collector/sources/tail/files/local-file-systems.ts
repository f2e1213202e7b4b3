import { statfs } from 'node:fs/promises';

/** ext2 to ext4, XFS, Btrfs, F2FS, ZFS, tmpfs and overlay, by their numbers in Linux. */
const LOCAL_TYPES: ReadonlySet<number> = new Set([
  ...[0xef53, 0x58465342, 0x9123683e, 0xf2f52010],
  ...[0x2fc12fc1, 0x01021994, 0x794c7630],
]);

/**
 * Whether the files of a directory are on a disk or in memory of this machine. Their state is known at once. A
 * network or user-space file system may not answer for minutes.
 */
export async function isLocalDirectory(directory: string): Promise<boolean> {
  const found = await statfs(directory).catch(() => undefined);
  return found !== undefined && LOCAL_TYPES.has(found.type);
}
