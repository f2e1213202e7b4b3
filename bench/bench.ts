/**
 * The benchmark: `make bench`. Every contender moves the same log from file to file, all in one run,
 * alternately and several times, so that other load on the machine affects all equally. The medians are
 * compared.
 *
 *     BENCH_MB=400 BENCH_ROUNDS=3 BENCH_STORE_ROWS=10000000 BENCH_DIRECTORY=...
 *     BENCH_ONLY=transfer,link,latency,idle,memory,sockets,store,<contender>
 *     --write puts the tables into docs/performance.md
 */

import { mkdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { errorMessage } from '../src/runtime/error-message.ts';
import { type WrittenLog, writeAccessLog } from './access-log.ts';
import type { Contender } from './contender.ts';
import { goalTable, type Measured, type StoppedRow } from './goals.ts';
import { describeMachine } from './machine.ts';
import { manyFilesTable } from './many-files-table.ts';
import { measureLatency } from './measurements/latency.ts';
import { FILE_COUNTS, type ManyFilesRun, measureManyFiles } from './measurements/many-files.ts';
import { measurePgLogfebe } from './measurements/pg-logfebe.ts';
import { type Absence, measureStoppedAggregator } from './measurements/stopped-aggregator.ts';
import { ours } from './peers/ours.ts';
import { rawPipe } from './peers/raw-pipe.ts';
import { rsyslog } from './peers/rsyslog.ts';
import { syslogNg } from './peers/syslog-ng.ts';
import { writePerformancePage } from './performance-page.ts';
import { type BenchSettings, readSettings, runsContender, runsSection, type Section } from './settings.ts';
import { socketTable } from './socket-table.ts';
import { measureStores, STORE_CONTENDERS } from './store/measure-stores.ts';
import { storeReport } from './store/store-table.ts';
import { table } from './table.ts';
import { runTransfer, type Transfer } from './transfer.ts';
import { type Standing, transferTable } from './transfer-table.ts';

const CONTENDERS: readonly Contender[] = [
  ours('lz4'),
  ours('none'),
  rsyslog('tcp'),
  rsyslog('relp'),
  syslogNg(),
  rawPipe(),
];
const LINK_CONTENDERS = ['ours-lz4', 'ours-none', 'rsyslog-tcp'];
const LINK_DELAY_MS = 10;
const STOPPED_LOG_MEGABYTES = 100;

interface Ready {
  readonly contender: Contender;
  readonly version: string;
}

async function main(): Promise<void> {
  const settings = readSettings(
    process.env,
    process.argv.slice(2),
    [...CONTENDERS, ...STORE_CONTENDERS].map(({ key }) => key),
  );
  await rm(settings.directory, { recursive: true, force: true });
  await mkdir(settings.directory, { recursive: true });
  try {
    const report = await run(settings);
    process.stdout.write(`\n${report}\n`);
    if (settings.write) await writePerformancePage('docs/performance.md', report);
  } finally {
    await rm(settings.directory, { recursive: true, force: true });
  }
}

async function run(settings: BenchSettings): Promise<string> {
  const mayTransfer = (['transfer', 'link'] as const).some((each) => runsSection(settings, each));
  const ready = mayTransfer ? await prepare(settings) : [];
  say(`Writing an access log of ${settings.megabytes} MB`);
  const log = await writeAccessLog(join(settings.directory, 'source.log'), settings.megabytes);
  const small = await writeAccessLog(join(settings.directory, 'small.log'), STOPPED_LOG_MEGABYTES, 2);
  const linked = ready.filter(({ contender }) => LINK_CONTENDERS.includes(contender.key));
  const section = <T>(name: Section, measure: () => Promise<T>, otherwise: T): Promise<T> =>
    runsSection(settings, name) ? measure() : Promise.resolve(otherwise);
  const directory = join(settings.directory, 'course');

  const measured: Measured = {
    log,
    transfers: await section('transfer', () => compete(ready, settings, log, 0), []),
    link: await section('link', () => compete(linked, settings, log, LINK_DELAY_MS), []),
    latency: await section('latency', () => attempt('latency', () => measureLatency(directory)), undefined),
    manyFiles: await section('idle', () => manyFilesRuns(directory), []),
    stopped: await section('memory', () => stoppedRows([small, log], directory), []),
    sockets:
      (await section('sockets', () => attempt('sockets', () => measurePgLogfebe(directory)), undefined)) ??
      [],
    stores: await section('store', () => attempt('stores', () => measureStores(settings, say)), undefined),
  };
  return report(measured, settings, await describeMachine(settings.directory), ready);
}

/** The contenders that can run here; the others are reported. */
async function prepare(settings: BenchSettings): Promise<Ready[]> {
  const ready: Ready[] = [];
  for (const contender of CONTENDERS) {
    if (!runsContender(settings, contender.key)) continue;
    try {
      ready.push({ contender, version: await contender.prepare() });
    } catch (error) {
      say(`SKIPPED ${contender.name}: ${errorMessage(error)}`);
    }
  }
  return ready;
}

async function compete(
  ready: readonly Ready[],
  settings: BenchSettings,
  log: WrittenLog,
  delayMs: number,
): Promise<Standing[]> {
  const standings = ready.map(({ contender }) => ({
    contender,
    name: contender.name,
    key: contender.key,
    runs: [] as Transfer[],
    failures: [] as string[],
  }));
  for (let round = 1; round <= settings.rounds; round++) {
    for (const { contender, runs, failures } of standings) {
      const label = `${delayMs > 0 ? `${delayMs} ms link, ` : ''}round ${round}, ${contender.name}`;
      try {
        const directory = join(settings.directory, 'course');
        const transfer = await runTransfer({ contender, log, directory, delayMs });
        runs.push(transfer);
        const found = transfer.difference === undefined ? 'identical' : `DIFFERENT: ${transfer.difference}`;
        say(`${label}: ${(log.bytes / 1e6 / transfer.seconds).toFixed(0)} MB/s, ${found}`);
      } catch (error) {
        failures.push(errorMessage(error));
        say(`${label}: FAILED: ${errorMessage(error)}`);
      }
    }
  }
  return standings;
}

async function stoppedRows(logs: readonly WrittenLog[], directory: string): Promise<StoppedRow[]> {
  const rows: StoppedRow[] = [];
  for (const absence of ['absent', 'frozen'] satisfies Absence[]) {
    for (const log of logs) {
      const label = `memory, aggregator ${absence}, ${Math.round(log.bytes / 1e6)} MB log`;
      const peak = await attempt(label, () => measureStoppedAggregator(log, absence, directory));
      if (peak === undefined) continue;
      rows.push({
        aggregator: absence,
        logMegabytes: Math.round(log.bytes / 1e6),
        peakMegabytes: peak / 1e6,
      });
    }
  }
  return rows;
}

async function manyFilesRuns(directory: string): Promise<ManyFilesRun[]> {
  const runs: ManyFilesRun[] = [];
  for (const files of FILE_COUNTS) {
    const run = await attempt(`${files} files`, () => measureManyFiles(files, directory));
    if (run !== undefined) runs.push(run);
  }
  return runs;
}

async function attempt<T>(label: string, measure: () => Promise<T>): Promise<T | undefined> {
  say(`Measuring ${label}`);
  try {
    return await measure();
  } catch (error) {
    say(`FAILED ${label}: ${errorMessage(error)}`);
    return undefined;
  }
}

function report(
  measured: Measured,
  settings: BenchSettings,
  machine: string,
  ready: readonly Ready[],
): string {
  const { log, transfers, link, latency, manyFiles, stopped, sockets, stores } = measured;
  const versions = ready.map(({ contender, version }) => `${contender.name} ${version}`);
  const size = `${Math.round(log.bytes / 1e6)} MB, ${log.lines.toLocaleString('en-US')} lines`;
  const parts = [
    `${new Date().toISOString().slice(0, 10)}: ${machine}.\n${versions.length === 0 ? '' : `${versions.join('; ')}.\n`}${size}, ${settings.rounds} rounds.`,
  ];
  if (transfers.length > 0) parts.push('### From file to file', transferTable(transfers, log));
  if (link.length > 0) {
    parts.push(`### Through a link of ${LINK_DELAY_MS} ms each way`, transferTable(link, log));
  }
  if (latency !== undefined) {
    const { p50Ms, p99Ms, maxMs, linesPerSecond } = latency;
    parts.push(
      `### From write to emitted, ${linesPerSecond} lines/s, AGGREGATOR_MINIMUM_PUBLISH_FREQUENCY=10ms`,
      table(['', 'p50 ms', 'p99 ms', 'max ms'], [['latency', ...[p50Ms, p99Ms, maxMs].map(oneDigit)]]),
    );
  }
  if (manyFiles.length > 0) parts.push('### Many files of one line each', manyFilesTable(manyFiles));
  if (stopped.length > 0) {
    parts.push(
      "### The collector's memory with the aggregator stopped",
      table(
        ['aggregator', 'log MB', 'peak MB'],
        stopped.map((row) => [row.aggregator, String(row.logMegabytes), oneDigit(row.peakMegabytes)]),
      ),
    );
  }
  if (sockets.length > 0) parts.push('### Over PostgreSQL sockets', socketTable(sockets));
  if (stores !== undefined) parts.push(...storeReport(stores, settings.rounds));
  const goals = goalTable(measured);
  if (goals !== '') parts.push('### Goals', goals);
  return parts.join('\n\n');
}

function oneDigit(value: number): string {
  return value.toFixed(1);
}

function say(text: string): void {
  process.stderr.write(`${text}\n`);
}

// An exit ends the children of a run, a signal to this process does not.
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => process.exit(130));
await main();
