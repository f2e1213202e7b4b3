import { resolve } from 'node:path';

export interface BenchSettings {
  readonly megabytes: number;
  /** Of the log of the filters: BENCH_MB too, with a smaller default. */
  readonly filterMegabytes: number;
  readonly rounds: number;
  /** Records in a store during the queries. */
  readonly storeRows: number;
  /** Messages of each syslog course. */
  readonly syslogMessages: number;
  /** Sections and contenders to run; empty: all. */
  readonly only: ReadonlySet<string>;
  /** Directory of logs and outputs, on the disk to measure. */
  readonly directory: string;
  /** Put the tables into docs/performance.md. */
  readonly write: boolean;
}

const DEFAULT_FILTER_MEGABYTES = '100';

export const SECTIONS = [
  'transfer',
  'link',
  'latency',
  'idle',
  'memory',
  'sockets',
  'syslog',
  'store',
  'filters',
  'rabbitmq',
] as const;
export type Section = (typeof SECTIONS)[number];

export function readSettings(
  env: NodeJS.ProcessEnv,
  args: readonly string[],
  contenders: readonly string[],
): BenchSettings {
  const { BENCH_MB = '1000', BENCH_ROUNDS = '3', BENCH_STORE_ROWS = '10000000' } = env;
  const { BENCH_SYSLOG_MESSAGES = '1000000' } = env;
  const { BENCH_ONLY = '', BENCH_DIRECTORY = '.tmp/bench' } = env;
  const only = BENCH_ONLY.split(',').filter((word) => word !== '');
  const known: readonly string[] = [...SECTIONS, ...contenders];
  const unknown = only.find((word) => !known.includes(word));
  if (unknown !== undefined) throw new Error(`BENCH_ONLY: ${unknown} is none of ${known.join(', ')}`);
  return {
    megabytes: positive('BENCH_MB', BENCH_MB),
    filterMegabytes: positive('BENCH_MB', env.BENCH_MB ?? DEFAULT_FILTER_MEGABYTES),
    rounds: positive('BENCH_ROUNDS', BENCH_ROUNDS),
    storeRows: positive('BENCH_STORE_ROWS', BENCH_STORE_ROWS),
    syslogMessages: positive('BENCH_SYSLOG_MESSAGES', BENCH_SYSLOG_MESSAGES),
    only: new Set(only),
    directory: resolve(BENCH_DIRECTORY),
    write: args.includes('--write'),
  };
}

export function runsSection({ only }: BenchSettings, section: Section): boolean {
  const sections = SECTIONS.filter((word) => only.has(word));
  return sections.length === 0 ? only.size === 0 || section === 'transfer' : sections.includes(section);
}

export function runsContender({ only }: BenchSettings, key: string): boolean {
  const contenders = [...only].filter((word) => !(SECTIONS as readonly string[]).includes(word));
  return contenders.length === 0 || contenders.includes(key);
}

function positive(variable: string, text: string): number {
  const value = Number(text);
  if (!Number.isInteger(value) || value <= 0)
    throw new Error(`${variable}: ${text} is not a positive number`);
  return value;
}
