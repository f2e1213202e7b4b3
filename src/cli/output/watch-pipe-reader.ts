import { readdir, readFile, readlink } from 'node:fs/promises';

/** Between two looks at the readers. */
const EVERY_MS = 1000;

/**
 * Calls `onGone` when the pipe at a file descriptor has lost its reader: `mega-collector monitor logs -f | head`. Node
 * notices this only at the next write, which may be hours later. Linux shows in /proc which processes have a pipe open
 * for reading, if they belong to this user. Does nothing where no reader was ever seen.
 */
export async function watchPipeReader(fd: number, onGone: () => void): Promise<void> {
  const pipe = await readlink(`/proc/self/fd/${fd}`).catch(() => '');
  if (!pipe.startsWith('pipe:')) return;
  let wasSeen = false;
  const look = async () => {
    const isRead = await hasReader(pipe);
    if (wasSeen && !isRead) {
      onGone();
      return;
    }
    wasSeen = isRead;
    setTimeout(() => void look(), EVERY_MS).unref();
  };
  await look();
}

async function hasReader(pipe: string): Promise<boolean> {
  const pids = (await readdir('/proc').catch(() => [])).filter((name) => /^\d+$/.test(name));
  for (const pid of pids) if (pid !== String(process.pid) && (await readsPipe(pid, pipe))) return true;
  return false;
}

async function readsPipe(pid: string, pipe: string): Promise<boolean> {
  for (const fd of await readdir(`/proc/${pid}/fd`).catch(() => [])) {
    const target = await readlink(`/proc/${pid}/fd/${fd}`).catch(() => '');
    if (target === pipe && (await isOpenForReading(pid, fd))) return true;
  }
  return false;
}

/** `flags:` is octal; its last two bits are 0 for reading, 2 for both directions. */
async function isOpenForReading(pid: string, fd: string): Promise<boolean> {
  const info = await readFile(`/proc/${pid}/fdinfo/${fd}`, 'utf8').catch(() => '');
  const flags = /^flags:\s*([0-7]+)$/m.exec(info)?.[1];
  return flags !== undefined && (Number.parseInt(flags, 8) & 0o3) !== 1;
}
