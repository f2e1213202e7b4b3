import { fileErrorText } from '../output/file-error-text.ts';
import type { MachineFiles } from './machine-files.ts';

const GROUP_READS = 0o040;

/** Why a file cannot be read, and which group would help. */
export async function accessAdvice(files: MachineFiles, path: string, error: unknown): Promise<string> {
  const { code } = error as NodeJS.ErrnoException;
  if (code !== 'EACCES' && code !== 'EPERM') return fileErrorText(error);
  const stats = await files.stat(path);
  if (stats === undefined) return 'permission denied: a directory above it is closed to this user';
  const group = await nameOf(files, '/etc/group', stats.gid);
  if ((stats.mode & GROUP_READS) !== 0 && stats.gid !== 0)
    return `permission denied: members of the group ${group} can read it (sudo usermod -aG ${group} USER)`;
  const owner = await nameOf(files, '/etc/passwd', stats.uid);
  return `permission denied: only the user ${owner} can read it`;
}

/** The name of a user or group; its number if it has none. */
async function nameOf(files: MachineFiles, table: string, id: number): Promise<string> {
  const lines = (await files.text(table)).split('\n').map((line) => line.split(':'));
  const name = lines.find(([, , number]) => number === String(id))?.[0] ?? '';
  return /^[a-z_][a-z0-9_-]*\$?$/i.test(name) ? name : String(id);
}
