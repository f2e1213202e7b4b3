import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { loadFilterTables } from '../../src/filter-files/load-filter-tables.ts';
import { openGeoDatabase } from '../../src/filter-files/open-geo-database.ts';
import { compileFilter } from '../../src/filters/compile-filter.ts';
import { parsedRecord } from '../../src/filters/filter-tests.ts';
import type { LogRecord } from '../../src/records/log-record.ts';
import { geoDatabase } from '../../testkit/geo-database.ts';

/** Filters, with the records per second that one thread runs: by its CPU time, without the parsing of records. */
const FILTERS = {
  'one grok with 12 captures, two conditions, one geoip':
    'if service.name == "web" and format == "plain" {\n' +
    '  if grok("NGINX_ACCESS") { geoip([client.address]) }\n' +
    '  if http.response.status_code >= 500 { tags += "failed" }\n}',
  'one condition of four terms': 'drop if a == 1 and b == 2 or body contains "no such text" and not c == 3',
  'the resource alone, for each record': 'drop if resource.service.name == "x"',
  'masking a password': String.raw`body := replace(body, "password=\S+", "password=***")`,
} as const;

const COUNT = 200_000;
const ADDRESSES = 5000;

const records = Array.from({ length: 10_000 }, (_, at): LogRecord => {
  const address = `81.2.${at % 250}.${Math.floor((at % ADDRESSES) / 250)}`;
  const line = `${address} - ann [31/Jan/2026:10:00:00 +0000] "GET /a/${at} HTTP/1.1" ${at % 50 === 0 ? 500 : 200} 612 "https://example.com/" "Mozilla/5.0 (X11; Linux x86_64) Firefox/120.0"`;
  return { ...parsedRecord('plain', line, new Map([['service.name', 'web']])), position: at * 200 };
});

const directory = await mkdtemp(join(tmpdir(), 'mega-collector-bench-filters-'));
try {
  const place = {
    country: { iso_code: 'FR' },
    city: { names: { en: 'Paris' } },
    location: { latitude: 48, longitude: 2 },
  };
  const path = join(directory, 'a.mmdb');
  await writeFile(path, geoDatabase({ '81.2.0.0/16': place }));
  const tables = { ...(await loadFilterTables({ directory })), geoip: await openGeoDatabase(path) };
  for (const [title, text] of Object.entries(FILTERS)) {
    const compiled = compileFilter(text, { file: 'bench.filter', tables });
    if (compiled.kind === 'problems') throw new Error(JSON.stringify(compiled.problems));
    const { program } = compiled;
    const runAll = (count: number) => {
      let changed = 0;
      for (let at = 0; at < count; at++) {
        const record = records[at % records.length];
        if (record !== undefined && program.run(record).kind === 'records') changed++;
      }
      return changed;
    };
    runAll(COUNT / 4);
    const before = process.cpuUsage();
    const changed = runAll(COUNT);
    const { user, system } = process.cpuUsage(before);
    const perSecond = Math.round((COUNT * 1_000_000) / (user + system));
    process.stdout.write(
      `${perSecond.toLocaleString('en-US').padStart(12)} records/s  ${title} (${changed} changed)\n`,
    );
  }
} finally {
  await rm(directory, { recursive: true });
}
