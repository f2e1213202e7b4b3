// Writes docs/openapi.json from the built table of operations; with --check it only says whether the file is fresh.
import { readFile, writeFile } from 'node:fs/promises';
import { openApiDocument } from '../dist/aggregator/api/openapi.js';
import { NETWORK_OPERATIONS } from '../dist/aggregator/api/operations/operations.js';

const file = new URL('openapi.json', import.meta.url);
const text = `${JSON.stringify(openApiDocument(NETWORK_OPERATIONS), null, 2)}\n`;

if (process.argv.includes('--check')) {
  const found = await readFile(file, 'utf8').catch(() => '');
  if (found !== text) {
    console.error('docs/openapi.json is stale: run `make docs`');
    process.exitCode = 1;
  }
} else {
  await writeFile(file, text);
}
