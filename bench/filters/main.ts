import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { measureCompiledFilters } from './compiled-filters.ts';
import { measureResourceFilters } from './resource-filter.ts';

const directory = await mkdtemp(join(tmpdir(), 'mega-collector-bench-filters-'));
try {
  for (const { title, perSecond } of await measureCompiledFilters(directory)) {
    const microseconds = (1_000_000 / perSecond).toFixed(2);
    say(
      `${perSecond.toLocaleString('en-US').padStart(12)} records/s  ${microseconds.padStart(5)} us  ${title}`,
    );
  }
  say('\nThe emitter "file" with a filter of the resource, compared with no filter:');
  for (const { title, ratio } of await measureResourceFilters(directory))
    say(`${(ratio * 100).toFixed(1).padStart(12)} % of the records/s   ${title}`);
} finally {
  await rm(directory, { recursive: true });
}

function say(line: string): void {
  process.stdout.write(`${line}\n`);
}
