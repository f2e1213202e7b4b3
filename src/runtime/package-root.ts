import { existsSync } from 'node:fs';
import { dirname, join } from 'node:path';

let found: string | undefined;

/**
 * The directory of this package: the nearest one above this file with a package.json. The depth of this file below it
 * differs between the sources, the compiled files and the bundle.
 */
export function packageRoot(): string {
  found ??= nearestPackage(import.meta.dirname);
  return found;
}

function nearestPackage(directory: string): string {
  if (existsSync(join(directory, 'package.json'))) return directory;
  const parent = dirname(directory);
  if (parent === directory) throw new Error(`Cannot find package.json above ${import.meta.dirname}.`);
  return nearestPackage(parent);
}
