import { readFile, writeFile } from 'node:fs/promises';
import type { Measured } from './goals.ts';
import { cpuSlope } from './slope-table.ts';
import { median } from './statistics.ts';
import type { Ingest } from './store/ingest.ts';
import { DAYS } from './store/queries.ts';
import { rowsPerSecond, type StoreMeasurements, type StoreStanding } from './store/store-table.ts';
import { table } from './table.ts';
import { OURS, peakMegabytes, type Standing, speed } from './transfer-table.ts';

const BEGIN = '<!-- numbers -->';
const END = '<!-- /numbers -->';

/** Writes the short tables into README.md. Returns the reason if a section that they need was not measured. */
export async function writeReadmeNumbers(path: string, measured: Measured): Promise<string | undefined> {
  if (measured.transfers.length === 0) return 'the section `transfer` was not measured';
  const { stores } = measured;
  if (stores === undefined) return 'the section `store` was not measured';
  const text = await readFile(path, 'utf8');
  const from = text.indexOf(BEGIN);
  const to = text.indexOf(END);
  if (from < 0 || to < from) return `it has no "${BEGIN}" ... "${END}"`;
  const numbers = [transferNumbers(measured), storeNumbers(stores), queryNumbers(stores)].join('\n\n');
  await writeFile(path, `${text.slice(0, from)}${BEGIN}\n${numbers}\n${text.slice(to)}`);
  return undefined;
}

function transferNumbers({ log, smallLog, transfers, link }: Measured): string {
  const ran = transfers.filter(({ key, runs }) => runs.length > 0 && SHOWN.includes(key));
  const linked = (key: string) => link.find((each) => each.key === key && each.runs.length > 0);
  const sizes = { bytes: log.bytes, smallBytes: smallLog.bytes };
  const each = (cell: (standing: Standing) => string) => ran.map(cell);
  const megabytes = Math.round(log.bytes / 1e6).toLocaleString('en-US');
  const shown = table(
    ['', ...each(({ name }) => name)],
    [
      ['MB/s', ...each((one) => speed(one, log).toFixed(0))],
      [
        'MB/s through a link of 10 ms each way',
        ...each(({ key }) => orDash(speed(linked(key), log), (value) => value.toFixed(0))),
      ],
      [
        'CPU of both halves, s for one more GB',
        ...each((one) => orDash(cpuSlope(one, sizes), (value) => value.toFixed(1))),
      ],
      [
        'peak memory, sender / receiver, MB',
        ...each(
          (one) =>
            `${peakMegabytes(one, 'sender').toFixed(0)} / ${peakMegabytes(one, 'receiver').toFixed(0)}`,
        ),
      ],
      ['flushed to disk before the acknowledgement', ...each(({ key }) => (key === OURS ? 'yes' : 'no'))],
    ],
  );
  return `From file to file, an access log of ${megabytes} MB:\n\n${shown}`;
}

/** Contenders of README.md; docs/performance.md has all. None of the others flushes before it acknowledges. */
const SHOWN = [OURS, 'rsyslog-tcp', 'rsyslog-relp', 'syslog-ng', 'fluent-bit', 'vector'];

function storeNumbers({ log, standings }: StoreMeasurements): string {
  const ran = standings.filter(({ runs }) => runs.length > 0);
  const each = (cell: (standing: StoreStanding) => string) => ran.map(cell);
  const perMillion = ({ senderCpuSeconds, receiverCpuSeconds, databaseCpuSeconds }: Ingest) =>
    ((senderCpuSeconds + receiverCpuSeconds + databaseCpuSeconds) / log.lines) * 1e6;
  const shown = table(
    ['', ...each(({ name }) => name)],
    [
      ['rows/s', ...each((one) => (Math.round(rowsPerSecond(one, log) / 1e3) * 1e3).toLocaleString('en-US'))],
      ['CPU of all, s per million rows', ...each(({ runs }) => median(runs.map(perMillion)).toFixed(1))],
      [
        'bytes on disk for each byte of log',
        ...each(({ runs }) => median(runs.map(({ stored }) => stored.bytes / log.bytes)).toFixed(2)),
      ],
      [
        'each row exactly once after any kill',
        ...each(({ key }) => (key.startsWith(OURS) ? 'yes' : 'not claimed')),
      ],
    ],
  );
  const megabytes = Math.round(log.bytes / 1e6);
  return `From a tailed access log into a database, each line parsed into a row, ${megabytes} MB:\n\n${shown}`;
}

function queryNumbers({ queries }: StoreMeasurements): string {
  const names = [...new Set(queries.flatMap((store) => store.queries.map(({ name }) => name)))];
  const shown = table(
    [
      'ms',
      ...queries.map(({ store, rows }) => `${store}, ${(rows / 1e6).toLocaleString('en-US')} million rows`),
    ],
    names.map((name) => [
      name,
      ...queries.map((store) =>
        orDash(store.queries.find((query) => query.name === name)?.dayMs ?? Number.NaN, (ms) =>
          ms.toFixed(0),
        ),
      ),
    ]),
  );
  return `Queries over one of ${DAYS} days:\n\n${shown}`;
}

function orDash(value: number, format: (value: number) => string): string {
  return Number.isFinite(value) ? format(value) : '-';
}
