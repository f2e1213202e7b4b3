import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { errorMessage } from '../../src/runtime/error-message.ts';
import { type BenchSettings, runsContender } from '../settings.ts';
import type { FilterContender } from './filter-contender.ts';
import { writeFilterLog } from './filter-log.ts';
import type { FilterMeasurements, FilterStanding } from './filter-table.ts';
import { filteringOurs } from './filtering-ours.ts';
import { filteringRsyslog } from './filtering-rsyslog.ts';
import { filteringSyslogNg } from './filtering-syslog-ng.ts';
import { type FilterRun, runFilter } from './run-filter.ts';

export const FILTER_CONTENDERS: readonly FilterContender[] = [
  filteringOurs('grok'),
  filteringOurs('combined'),
  filteringRsyslog(),
  filteringSyslogNg(),
];

interface Entry {
  readonly contender: FilterContender;
  readonly standing: FilterStanding & { readonly runs: FilterRun[]; readonly failures: string[] };
}

/** All programs in turn, several times. Every second round is in the opposite order. */
export async function measureFilters(
  settings: BenchSettings,
  say: (text: string) => void,
): Promise<FilterMeasurements> {
  const directory = join(settings.directory, 'filters');
  await mkdir(directory, { recursive: true });
  const log = await writeFilterLog(join(directory, 'source.log'), settings.filterMegabytes);
  const entries = await prepare(settings, say);
  for (let round = 1; round <= settings.rounds; round++) {
    for (const { contender, standing } of round % 2 === 1 ? entries : entries.toReversed()) {
      const label = `filters, round ${round}, ${contender.name}`;
      try {
        const run = await runFilter({ contender, log, directory: join(directory, 'course') });
        standing.runs.push(run);
        const rate = Math.round(log.lines / run.seconds).toLocaleString('en-US');
        say(`${label}: ${rate} records/s, ${run.cpuSeconds.toFixed(2)} s of CPU`);
      } catch (error) {
        standing.failures.push(errorMessage(error));
        say(`${label}: FAILED: ${errorMessage(error)}`);
      }
    }
  }
  return { log, rounds: settings.rounds, standings: entries.map(({ standing }) => standing) };
}

/** The contenders that can run here; the others are reported. */
async function prepare(settings: BenchSettings, say: (text: string) => void): Promise<Entry[]> {
  const entries: Entry[] = [];
  for (const contender of FILTER_CONTENDERS.filter(({ key }) => runsContender(settings, key))) {
    try {
      const version = await contender.prepare();
      const { name, key } = contender;
      entries.push({ contender, standing: { name, key, version, runs: [], failures: [] } });
    } catch (error) {
      say(`SKIPPED ${contender.name}: ${errorMessage(error)}`);
    }
  }
  return entries;
}
