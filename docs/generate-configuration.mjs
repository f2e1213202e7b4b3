// Writes docs/configuration.md from the built tables of variables; with --check it only says whether the file is fresh.
import { readFile, writeFile } from 'node:fs/promises';
import { configurationPage } from '../dist/cli/configuration-page.js';

const file = new URL('configuration.md', import.meta.url);
const page = configurationPage();

if (process.argv.includes('--check')) {
  const found = await readFile(file, 'utf8').catch(() => '');
  if (found !== page) {
    console.error('docs/configuration.md is stale: run `npm run docs`');
    process.exitCode = 1;
  }
} else {
  await writeFile(file, page);
}
