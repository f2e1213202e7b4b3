/**
 * `make chaos [STORE=duckdb|postgres|timescaledb|clickhouse] [AGGREGATORS=2] [LOSE_STATE=1] [FILTER=1] [SYSLOG=mark|identity] [RABBITMQ=1|keep]
 * [ROTATE=gz] [ROUNDS=n] [SEED=n]`: into a file, or into a store; PostgreSQL and ClickHouse may have two aggregators. With LOSE_STATE, an
 * aggregator loses its state directory again and again. With SYSLOG, real syslog senders instead of files; repeated messages are
 * marked, or dropped by their identity. With RABBITMQ, through a broker into PostgreSQL; with `keep`, its queue is neither purged nor deleted. With ROTATE=gz,
 * logs that are rotated and compressed, a log of a container, and a journal. Exits with 0 only if every line was delivered as guaranteed; otherwise
 * the output of the processes is kept in the printed directory.
 */

import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { errorMessage } from '../../src/runtime/error-message.ts';
import { freshSeed } from '../../testkit/random.ts';
import { runArchiveChaos } from './archives/archive-chaos.ts';
import { archiveFailuresOf, describeArchiveReport } from './archives/archive-report.ts';
import { runChaos } from './chaos.ts';
import { describeReport, failuresOf } from './chaos-report.ts';
import { describeRabbitmqReport, rabbitmqFailuresOf, runRabbitmqChaos } from './rabbitmq/rabbitmq-chaos.ts';
import { runStoreChaos, type StoreChaosPlan } from './store/store-chaos.ts';
import { describeStoreReport, storeFailuresOf } from './store/store-report.ts';
import { runSyslogChaos } from './syslog/syslog-chaos.ts';
import { describeSyslogReport, syslogFailuresOf } from './syslog/syslog-report.ts';

interface Outcome {
  readonly text: string;
  readonly failures: readonly string[];
}

const STORES = ['duckdb', 'postgres', 'timescaledb', 'clickhouse'] as const;
const { STORE = '', SYSLOG = '', AGGREGATORS, LOSE_STATE = '', FILTER = '', ROUNDS, SEED } = process.env;
const { RABBITMQ = '', ROTATE = '' } = process.env;
const hasArchives = ROTATE === 'gz';
const hasBroker = RABBITMQ === '1' || RABBITMQ === 'keep';
const hasFilter = FILTER === '1';
const losesState = LOSE_STATE === '1';
const store = storeOf(STORE);
const syslog = syslogOf(SYSLOG);
const aggregators =
  wholeNumber('AGGREGATORS', AGGREGATORS, 1) === 2 && store !== undefined && store !== 'duckdb' ? 2 : 1;
const rounds = wholeNumber('ROUNDS', ROUNDS, usualRounds());
const seed = wholeNumber('SEED', SEED, freshSeed());
const directory = await mkdtemp(join(tmpdir(), 'mega-collector-chaos-'));
const again = [
  store === undefined ? '' : ` STORE=${store}`,
  syslog === undefined ? '' : ` SYSLOG=${syslog}`,
  aggregators === 1 ? '' : ` AGGREGATORS=${aggregators}`,
  losesState ? ' LOSE_STATE=1' : '',
  hasFilter ? ' FILTER=1' : '',
  hasBroker ? ` RABBITMQ=${RABBITMQ}` : '',
  hasArchives ? ' ROTATE=gz' : '',
  ` ROUNDS=${rounds} SEED=${seed}`,
].join('');
say(`seed ${seed} (again: make chaos${again})`);

process.stdout.on('error', () => process.exit(130));
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => process.exit(130));

if (await isClean()) {
  await rm(directory, { recursive: true, force: true });
} else {
  // Processes that hang are abandoned.
  process.stdout.write(`The logs and output of the processes are in ${directory}\n`, () => process.exit(1));
}

async function isClean(): Promise<boolean> {
  try {
    const { text, failures } = await chosenRun();
    say(`\n${text}`);
    return failures.length === 0;
  } catch (error) {
    say(`\nFAILED: ${errorMessage(error)}`);
    return false;
  }
}

function usualRounds(): number {
  if (hasBroker || hasArchives) return 30;
  return store === undefined && syslog === undefined ? 20 : 50;
}

function chosenRun(): Promise<Outcome> {
  if (hasArchives) return withArchives();
  if (hasBroker) return throughRabbitmq();
  if (syslog !== undefined) return fromSyslog(syslog === 'identity');
  return store === undefined ? intoFile() : intoStore(store);
}

async function fromSyslog(hasIdentity: boolean): Promise<Outcome> {
  const report = await runSyslogChaos({ rounds, seed, directory, hasIdentity, say });
  return { text: describeSyslogReport(report), failures: syslogFailuresOf(report) };
}

async function withArchives(): Promise<Outcome> {
  const report = await runArchiveChaos({ rounds, seed, directory, say });
  return { text: describeArchiveReport(report), failures: archiveFailuresOf(report) };
}

async function throughRabbitmq(): Promise<Outcome> {
  const report = await runRabbitmqChaos({
    keepsQueue: RABBITMQ === 'keep',
    losesState,
    rounds,
    seed,
    directory,
    say,
  });
  return { text: describeRabbitmqReport(report), failures: rabbitmqFailuresOf(report) };
}

async function intoFile(): Promise<Outcome> {
  const report = await runChaos({ rounds, seed, directory, hasClones: true, hasFilter, say });
  return { text: describeReport(report), failures: failuresOf(report) };
}

async function intoStore(name: StoreChaosPlan['store']): Promise<Outcome> {
  const plan: StoreChaosPlan = {
    ...{ store: name, aggregators, losesState, hasFilter },
    ...{ rounds, seed, directory, say },
  };
  const report = await runStoreChaos(plan);
  return { text: describeStoreReport(report), failures: storeFailuresOf(report) };
}

function storeOf(text: string): StoreChaosPlan['store'] | undefined {
  if (text === '') return undefined;
  const store = STORES.find((each) => each === text);
  if (store !== undefined) return store;
  process.stderr.write(`STORE: must be one of ${STORES.join(', ')}, got ${text}\n`);
  process.exit(2);
}

function syslogOf(text: string): 'mark' | 'identity' | undefined {
  if (text === '') return undefined;
  if (text === 'mark' || text === 'identity') return text;
  process.stderr.write(`SYSLOG: ${text} is neither mark nor identity\n`);
  process.exit(2);
}

function wholeNumber(variable: string, text: string | undefined, otherwise: number): number {
  const value = text === undefined || text === '' ? otherwise : Number(text);
  if (Number.isInteger(value) && value >= 0) return value;
  process.stderr.write(`${variable}: ${text ?? ''} is not a whole number\n`);
  process.exit(2);
}

function say(text: string): void {
  process.stdout.write(`${text}\n`);
}
