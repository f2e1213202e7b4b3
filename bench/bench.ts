/**
 * The benchmark: `make bench`. Every contender moves the same log from file to file, all in one run,
 * alternately and several times, so that other load on the machine affects all equally. The medians are
 * compared.
 *
 *     BENCH_MB=1000 BENCH_ROUNDS=3 BENCH_STORE_ROWS=10000000 BENCH_SYSLOG_MESSAGES=1000000 BENCH_DIRECTORY=...
 *     BENCH_ONLY=transfer,link,latency,idle,memory,sockets,syslog,store,filters,rabbitmq,<contender>
 *     --write puts the tables into docs/performance.md and README.md
 *
 * BENCH_FLUENT_BIT, BENCH_VECTOR, BENCH_OTELCOL and BENCH_FILEBEAT are paths of binaries. They join if they are set.
 */

import { mkdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { errorMessage } from '../src/runtime/error-message.ts';
import { type WrittenLog, writeAccessLog } from './access-log.ts';
import { brokerTable } from './broker-table.ts';
import { type Competition, compete } from './compete.ts';
import type { Contender } from './contender.ts';
import { filterReport } from './filters/filter-table.ts';
import { FILTER_CONTENDERS, measureFilters } from './filters/measure-filters.ts';
import { formatCosts } from './formats.ts';
import { goalTable, type Measured, type StoppedRow } from './goals.ts';
import { describeMachine } from './machine.ts';
import { manyFilesTable } from './many-files-table.ts';
import { type Latency, measureLatency } from './measurements/latency.ts';
import { FILE_COUNTS, type ManyFilesRun, measureManyFiles } from './measurements/many-files.ts';
import { measurePgLogfebe } from './measurements/pg-logfebe.ts';
import { type Absence, measureStoppedAggregator } from './measurements/stopped-aggregator.ts';
import { filebeat } from './peers/filebeat.ts';
import { fluentBit } from './peers/fluent-bit.ts';
import { otelcol } from './peers/otelcol.ts';
import { ours } from './peers/ours.ts';
import { rabbitmqBetween } from './peers/rabbitmq.ts';
import { rawPipe } from './peers/raw-pipe.ts';
import { rsyslog } from './peers/rsyslog.ts';
import { syslogNg } from './peers/syslog-ng.ts';
import { vector } from './peers/vector.ts';
import { writePerformancePage } from './performance-page.ts';
import { writeReadmeNumbers } from './readme-numbers.ts';
import { type BenchSettings, readSettings, runsContender, runsSection, type Section } from './settings.ts';
import { slopeTable } from './slope-table.ts';
import { socketTable } from './socket-table.ts';
import { measureStores, STORE_CONTENDERS } from './store/measure-stores.ts';
import { storeReport } from './store/store-table.ts';
import { measureSyslog, type SyslogRun } from './syslog/measure-syslog.ts';
import { syslogTable } from './syslog/syslog-table.ts';
import { table } from './table.ts';
import { type Standing, transferTable } from './transfer-table.ts';

const CONTENDERS: readonly Contender[] = [
  ours(),
  ours('lz4'),
  rsyslog('tcp'),
  rsyslog('relp'),
  syslogNg(),
  fluentBit('memory'),
  fluentBit('filesystem'),
  vector(),
  otelcol(),
  filebeat(),
  rawPipe(),
];
const LINK_CONTENDERS = ['ours', 'ours-lz4', 'rsyslog-tcp', 'fluent-bit'];
const LINK_DELAY_MS = 10;
const BESIDE_MEGABYTES_PER_SECOND = 100;
const SMALL_LOG_MEGABYTES = 200;
const STOPPED_LOG_MEGABYTES = 100;

interface Ready {
  readonly contender: Contender;
  readonly version: string;
}

async function main(): Promise<void> {
  const settings = readSettings(
    process.env,
    process.argv.slice(2),
    [...CONTENDERS, ...STORE_CONTENDERS, ...FILTER_CONTENDERS].map(({ key }) => key),
  );
  await rm(settings.directory, { recursive: true, force: true });
  await mkdir(settings.directory, { recursive: true });
  try {
    const { report, measured } = await run(settings);
    process.stdout.write(`\n${report}\n`);
    if (settings.write) await writePages(report, measured);
  } finally {
    await rm(settings.directory, { recursive: true, force: true });
  }
}

async function writePages(report: string, measured: Measured): Promise<void> {
  await writePerformancePage('docs/performance.md', report);
  const reason = await writeReadmeNumbers('README.md', measured);
  if (reason !== undefined) say(`README.md keeps its numbers: ${reason}`);
}

async function run(settings: BenchSettings): Promise<{ report: string; measured: Measured }> {
  const mayTransfer = (['transfer', 'link'] as const).some((each) => runsSection(settings, each));
  const ready = mayTransfer ? await prepare(settings) : [];
  say(`Writing an access log of ${settings.megabytes} MB`);
  const log = await writeAccessLog(join(settings.directory, 'source.log'), settings.megabytes);
  const stoppedLog = await writeAccessLog(join(settings.directory, 'stopped.log'), STOPPED_LOG_MEGABYTES, 2);
  const smallMegabytes = Math.min(SMALL_LOG_MEGABYTES, Math.ceil(settings.megabytes / 2));
  const smallLog = await writeAccessLog(join(settings.directory, 'small.log'), smallMegabytes, 3);
  const contenders = ready.map(({ contender }) => contender);
  const linked = contenders.filter(({ key }) => LINK_CONTENDERS.includes(key));
  const section = <T>(name: Section, measure: () => Promise<T>, otherwise: T): Promise<T> =>
    runsSection(settings, name) ? measure() : Promise.resolve(otherwise);
  const directory = join(settings.directory, 'course');
  const plan = { rounds: settings.rounds, log, directory: settings.directory, report: say };

  const measured: Measured = {
    log,
    smallLog,
    transfers: await section('transfer', () => compete({ ...plan, contenders, smallLog, delayMs: 0 }), []),
    link: await section('link', () => compete({ ...plan, contenders: linked, delayMs: LINK_DELAY_MS }), []),
    latencies: await section('latency', () => latencies(directory), []),
    manyFiles: await section('idle', () => manyFilesRuns(directory), []),
    stopped: await section('memory', () => stoppedRows([stoppedLog, log], directory), []),
    sockets:
      (await section('sockets', () => attempt('sockets', () => measurePgLogfebe(directory)), undefined)) ??
      [],
    syslog: await section('syslog', () => syslogRuns(settings), []),
    formats: await section('syslog', async () => formatCosts(), []),
    broker: await section('rabbitmq', () => throughBroker(plan), []),
    stores: await section('store', () => attempt('stores', () => measureStores(settings, say)), undefined),
    filters: await section(
      'filters',
      () => attempt('filters', () => measureFilters(settings, say)),
      undefined,
    ),
  };
  const machine = await describeMachine(settings.directory);
  return { report: report(measured, settings, machine, ready), measured };
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

/** The pair, directly and through a broker, in turn. */
async function throughBroker(plan: Omit<Competition, 'contenders' | 'delayMs'>): Promise<Standing[]> {
  const contenders: Contender[] = [];
  for (const contender of [ours(), rabbitmqBetween()]) {
    try {
      await contender.prepare();
      contenders.push(contender);
    } catch (error) {
      say(`SKIPPED ${contender.name}: ${errorMessage(error)}`);
    }
  }
  return await compete({ ...plan, contenders, delayMs: 0 });
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

async function latencies(directory: string): Promise<Latency[]> {
  const found: Latency[] = [];
  for (const beside of [0, BESIDE_MEGABYTES_PER_SECOND]) {
    const label = beside === 0 ? 'latency' : `latency beside ${beside} MB/s`;
    const latency = await attempt(label, () => measureLatency(directory, beside));
    if (latency !== undefined) found.push(latency);
  }
  return found;
}

async function manyFilesRuns(directory: string): Promise<ManyFilesRun[]> {
  const runs: ManyFilesRun[] = [];
  for (const files of FILE_COUNTS) {
    const run = await attempt(`${files} files`, () => measureManyFiles(files, directory));
    if (run !== undefined) runs.push(run);
  }
  return runs;
}

async function syslogRuns({
  directory,
  rounds,
  syslogMessages: messages,
}: BenchSettings): Promise<readonly SyslogRun[]> {
  const plan = { directory: join(directory, 'syslog'), rounds, messages };
  return (await attempt('syslog', () => measureSyslog(plan, say))) ?? [];
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
  const {
    log,
    transfers,
    link,
    latencies: measuredLatencies,
    manyFiles,
    stopped,
    sockets,
    syslog,
    stores,
    filters,
  } = measured;
  const versions = ready.map(({ contender, version }) => `${contender.name} ${version}`);
  const size = `${Math.round(log.bytes / 1e6)} MB, ${log.lines.toLocaleString('en-US')} lines`;
  const parts = [
    `${new Date().toISOString().slice(0, 10)}: ${machine}.\n${versions.length === 0 ? '' : `${versions.join('; ')}.\n`}${size}, ${settings.rounds} rounds.`,
  ];
  if (transfers.length > 0) parts.push('### From file to file', transferTable(transfers, log));
  const slopes = slopeTable(transfers, { bytes: log.bytes, smallBytes: measured.smallLog.bytes });
  if (slopes !== '') parts.push('### CPU of one more GB, without start and warm-up', slopes);
  if (link.length > 0) {
    parts.push(`### Through a link of ${LINK_DELAY_MS} ms each way`, transferTable(link, log));
  }
  if (measuredLatencies.length > 0) {
    parts.push(
      `### From write to emitted, ${measuredLatencies[0]?.linesPerSecond} lines/s, AGGREGATOR_MINIMUM_PUBLISH_FREQUENCY=10ms`,
      table(['', 'p50 ms', 'p99 ms', 'max ms'], measuredLatencies.map(latencyRow)),
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
  if (syslog.length > 0) {
    parts.push('### Syslog: from a sender to a file, ours with fsync, rsyslog without', syslogTable(syslog));
  }
  if (measured.formats.length > 0) {
    const rows = measured.formats.map(({ label, microseconds }) => [label, microseconds.toFixed(2)]);
    parts.push('### CPU of parsing a record', table(['format', 'us'], rows));
  }
  if (stores !== undefined) parts.push(...storeReport(stores, settings.rounds));
  if (filters !== undefined) parts.push(...filterReport(filters));
  if (measured.broker.length > 0)
    parts.push('### Through RabbitMQ, a quorum queue of one node', brokerTable(measured.broker, log));
  const goals = goalTable(measured);
  if (goals !== '') parts.push('### Goals', goals);
  return parts.join('\n\n');
}

function latencyRow({ besideMegabytesPerSecond: beside, p50Ms, p99Ms, maxMs }: Latency): string[] {
  const name = beside === 0 ? 'alone' : `while another file grows by ${beside} MB/s`;
  return [name, ...[p50Ms, p99Ms, maxMs].map(oneDigit)];
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
