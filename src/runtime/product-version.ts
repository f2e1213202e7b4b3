import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { packageRoot } from './package-root.ts';

let version: string | undefined;

/** The version in package.json. */
export function productVersion(): string {
  version ??= (JSON.parse(readFileSync(join(packageRoot(), 'package.json'), 'utf8')) as Manifest).version;
  return version;
}

interface Manifest {
  readonly version: string;
}
