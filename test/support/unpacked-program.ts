import { existsSync } from 'node:fs';
import { delimiter, join, resolve } from 'node:path';

export interface UnpackedProgram {
  readonly command: string;
  readonly env: Readonly<Record<string, string>>;
}

const TRIPLETS = ['x86_64-linux-gnu', 'aarch64-linux-gnu'];

/**
 * A program of Debian: installed, or unpacked beside the system by `make test`. undefined, with a line on stderr,
 * where there is none.
 */
export function findUnpackedProgram(name: string): UnpackedProgram | undefined {
  const installed = (process.env.PATH ?? '').split(delimiter).map((directory) => join(directory, name));
  const command = installed.find(existsSync);
  if (command !== undefined) return { command, env: {} };
  const root = resolve('.tmp/peers', name, 'root');
  const unpacked = ['usr/bin', 'bin'].map((directory) => join(root, directory, name)).find(existsSync);
  if (unpacked === undefined) {
    process.stderr.write(
      `SKIPPED: tests with a real ${name}, which is not installed (apt-get install ${name})\n`,
    );
    return undefined;
  }
  const libraries = TRIPLETS.map((triplet) => join(root, 'usr/lib', triplet));
  return { command: unpacked, env: { LD_LIBRARY_PATH: libraries.join(':') } };
}
