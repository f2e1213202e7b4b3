// Writes docs/metrics.md from the built tables of metrics; with --check it only says whether the file is fresh.
import { readFile, writeFile } from 'node:fs/promises';
import { metricsPage } from '../dist/cli/metrics-page.js';

const file = new URL('metrics.md', import.meta.url);
const page = metricsPage();

if (process.argv.includes('--check')) {
  const found = await readFile(file, 'utf8').catch(() => '');
  if (found !== page) {
    console.error('docs/metrics.md is stale: run `npm run docs`');
    process.exitCode = 1;
  }
} else {
  await writeFile(file, page);
}
