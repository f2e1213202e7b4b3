import { lstatSync, readdirSync } from 'node:fs';
import { join } from 'node:path';

const BLOCK_BYTES = 512;

/** The bytes on disk below a directory. Holes of sparse files take none. */
export function diskBytes(directory: string): number {
  return readdirSync(directory, { recursive: true, encoding: 'utf8' }).reduce(
    (sum, name) => sum + lstatSync(join(directory, name)).blocks * BLOCK_BYTES,
    0,
  );
}
