/**
 * Measures what the program costs while it does little: `make bench-light`. CPU time and memory can be measured on a
 * busy machine, times cannot.
 *
 *     LIGHT_ONLY=commands,services,duckdb,files,transfer   LIGHT_IDLE_SECONDS=60   LIGHT_DIRECTORY=.tmp/light
 */

import { mkdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { writeAccessLog } from '../access-log.ts';
import { measureManyFiles } from '../measurements/many-files.ts';
import { table } from '../table.ts';
import { type CommandCost, commandCost, emptyProgramCost } from './command-cost.ts';
import { idleServices, type ServiceCost } from './idle-services.ts';
import { ingestPeak } from './ingest-peak.ts';

const { LIGHT_ONLY, LIGHT_IDLE_SECONDS, LIGHT_DIRECTORY = '.tmp/light' } = process.env;
const DUCKDB = { AGGREGATOR_DUCKDB_CONFIGURATION: '{"retention_age": 0}' };
const FILES = 10_000;
const INGEST_MEGABYTES = 100;
const TRANSFER_MEGABYTES = 400;

const SECTIONS: Readonly<Record<string, () => Promise<string>>> = {
  commands: commandTable,
  services: serviceTable,
  duckdb: async () => {
    const { aggregatorBytes } = await ingestPeak(INGEST_MEGABYTES, place('duckdb-ingest'), DUCKDB);
    return `DuckDB receives ${INGEST_MEGABYTES} MB: peak of the aggregator ${megabytes(aggregatorBytes)} MB`;
  },
  files: async () => {
    const run = await measureManyFiles(FILES, place('files'));
    const { collectorMemoryBytes, firstLineMs, idleCollector, idleAggregator } = run;
    return `${FILES} files: collector ${megabytes(collectorMemoryBytes)} MB, first line after ${Math.round(firstLineMs)} ms, idle ${percent(idleCollector)} % (collector) and ${percent(idleAggregator)} % (aggregator) of a core`;
  },
  transfer: async () => {
    const { collectorBytes, aggregatorBytes } = await ingestPeak(TRANSFER_MEGABYTES, place('transfer'));
    return `${TRANSFER_MEGABYTES} MB from file to file: peak of the collector ${megabytes(collectorBytes)} MB, of the aggregator ${megabytes(aggregatorBytes)} MB`;
  },
};

async function main(): Promise<void> {
  try {
    for (const name of (LIGHT_ONLY || Object.keys(SECTIONS).join(',')).split(',')) {
      const measure = SECTIONS[name];
      if (measure === undefined)
        throw new Error(`LIGHT_ONLY: ${name} is none of ${Object.keys(SECTIONS).join(', ')}`);
      process.stdout.write(`\n${await measure()}\n`);
    }
  } finally {
    await rm(LIGHT_DIRECTORY, { recursive: true, force: true });
  }
}

async function commandTable(): Promise<string> {
  const directory = place('commands');
  await mkdir(directory, { recursive: true });
  const log = await writeAccessLog(join(directory, 'access.log'), 0.2);
  const env = { XDG_STATE_HOME: directory, AGGREGATOR_HTTP_ADDRESS: '127.0.0.1:1' };
  const commands: readonly (readonly string[])[] = [
    ...[['--help'], ['monitor'], ['monitor', 'logs', '--help'], ['collector', '--help']],
    ...[
      ['aggregator', '--help'],
      ['search', log.path],
    ],
    ['standalone', '--tail', log.path, '--once'],
  ];
  const rows = commands.map((args) =>
    costRow(args.join(' ').replace(log.path, 'FILE'), commandCost(args, env)),
  );
  return table(['command', 'wall s', 'CPU s'], [costRow('node -e 0', emptyProgramCost()), ...rows]);
}

function costRow(name: string, { wallSeconds, cpuSeconds }: CommandCost): readonly string[] {
  return [name, wallSeconds.toFixed(2), cpuSeconds.toFixed(2)];
}

async function serviceTable(): Promise<string> {
  const idleMs = Number(LIGHT_IDLE_SECONDS || '60') * 1000;
  const rows = [
    ...(await idleServices({ name: 'file' }, place('file'), idleMs)),
    ...(await idleServices({ name: 'DuckDB', env: DUCKDB }, place('duckdb'), idleMs)).slice(1),
  ];
  return table(
    ['service', 'start, CPU s', 'idle MB', 'idle, % of a core', 'state on disk, MB'],
    rows.map(serviceRow),
  );
}

function serviceRow(cost: ServiceCost): readonly string[] {
  const { name, startCpuSeconds, idleMemoryBytes, idleCore, stateBytes } = cost;
  return [
    name,
    startCpuSeconds.toFixed(2),
    megabytes(idleMemoryBytes),
    percent(idleCore),
    megabytes(stateBytes),
  ];
}

function place(name: string): string {
  return join(process.cwd(), LIGHT_DIRECTORY, name);
}

function megabytes(bytes: number): string {
  return (bytes / 1e6).toFixed(1);
}

function percent(share: number): string {
  return (share * 100).toFixed(2);
}

await main();
