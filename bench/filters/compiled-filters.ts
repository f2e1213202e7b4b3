import { writeFile } from 'node:fs/promises';
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
/** As the records of a batch do. */
const RESOURCE = new Map([['service.name', 'web']]);

export interface FilterSpeed {
  readonly title: string;
  readonly perSecond: number;
}

/** Measures compiled filters without an emitter. */
export async function measureCompiledFilters(directory: string): Promise<readonly FilterSpeed[]> {
  const place = {
    country: { iso_code: 'FR' },
    city: { names: { en: 'Paris' } },
    location: { latitude: 48, longitude: 2 },
  };
  const path = join(directory, 'a.mmdb');
  await writeFile(path, geoDatabase({ '81.2.0.0/16': place }));
  const tables = { ...(await loadFilterTables({ directory })), geoip: await openGeoDatabase(path) };
  const records = Array.from({ length: 10_000 }, (_, at) => recordAt(at));
  return Object.entries(FILTERS).map(([title, text]) => {
    const compiled = compileFilter(text, { file: 'bench.filter', tables });
    if (compiled.kind === 'problems') throw new Error(JSON.stringify(compiled.problems));
    const { program } = compiled;
    const runAll = (count: number) => {
      for (let at = 0; at < count; at++) {
        const record = records[at % records.length];
        if (record !== undefined) program.run(record);
      }
    };
    runAll(COUNT / 4);
    const before = process.cpuUsage();
    runAll(COUNT);
    const { user, system } = process.cpuUsage(before);
    return { title, perSecond: Math.round((COUNT * 1_000_000) / (user + system)) };
  });
}

function recordAt(at: number): LogRecord {
  const address = `81.2.${at % 250}.${Math.floor((at % ADDRESSES) / 250)}`;
  const line = `${address} - ann [31/Jan/2026:10:00:00 +0000] "GET /a/${at} HTTP/1.1" ${at % 50 === 0 ? 500 : 200} 612 "https://example.com/" "Mozilla/5.0 (X11; Linux x86_64) Firefox/120.0"`;
  return { ...parsedRecord('plain', line, RESOURCE), position: at * 200 };
}
