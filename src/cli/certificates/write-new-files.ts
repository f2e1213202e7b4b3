import { mkdir, open, rm } from 'node:fs/promises';
import { dirname } from 'node:path';
import { CommandError } from '../command-error.ts';
import { fileErrorText } from '../output/file-error-text.ts';

export interface NewFile {
  readonly path: string;
  readonly text: string;
  /** Permissions, whatever the umask is. */
  readonly mode: number;
}

/** Writes all files, or none. Never replaces a file. Creates missing directories with mode 0700. */
export async function writeNewFiles(files: readonly NewFile[]): Promise<void> {
  const written: string[] = [];
  for (const { path, text, mode } of files) {
    try {
      await mkdir(dirname(path), { recursive: true, mode: 0o700 });
      const file = await open(path, 'wx', mode);
      written.push(path);
      try {
        await file.chmod(mode);
        await file.writeFile(text);
        await file.sync();
      } finally {
        await file.close();
      }
    } catch (error) {
      for (const each of written) await rm(each, { force: true });
      throw new CommandError(`Cannot write ${path}: ${reasonOf(error)}`);
    }
  }
}

function reasonOf(error: unknown): string {
  return (error as NodeJS.ErrnoException).code === 'EEXIST'
    ? 'it exists. Move it away, or choose another path. Nothing was written.'
    : fileErrorText(error);
}
