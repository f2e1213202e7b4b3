import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

const ROOT = join(import.meta.dirname, '../../..');

export interface BuiltPage {
  readonly directory: string;
  readonly remove: () => void;
}

/** Builds the page into a directory of its own: the test sees the present source, and no other test. */
export function buildPage(): BuiltPage {
  const parent = mkdtempSync(join(tmpdir(), 'mega-collector-page-'));
  const directory = join(parent, 'page');
  execFileSync(join(ROOT, 'node_modules/.bin/vite'), ['build', '--outDir', directory], {
    cwd: ROOT,
    env: { ...process.env, NODE_ENV: 'production' },
  });
  return { directory, remove: () => rmSync(parent, { recursive: true, force: true }) };
}
