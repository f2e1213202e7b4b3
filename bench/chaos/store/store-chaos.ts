/**
 * The same failures (`../chaos.ts`) with a store: DuckDB in the aggregator, or PostgreSQL or ClickHouse over a network;
 * with one aggregator, or with two that write into one database and a collector that knows both.
 *
 *     fault begins -- a while -- killed, restarted or frozen -- a while -- fault ends
 *
 * After all rounds the faults end and the writer stops. Then the store must contain each line once, at its
 * position, in the order of its log; no process may have ended unexpectedly; and with one aggregator both
 * balances must match the written lines. (With `losesState`, an aggregator also loses its whole state again and
 * again; it acknowledges records only after their delivery, and counts anew. With two, an aggregator may accept
 * records without being able to acknowledge them, and they are also sent to the other one: both count them, and
 * the store keeps them once.)
 */
import { appendFileSync } from 'node:fs';
import { chmod, mkdir } from 'node:fs/promises';
import { freemem } from 'node:os';
import { basename, join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { NOTHING } from '../../../src/records/amount.ts';
import { aggregatorStatus, collectorStatus } from '../../../testkit/owner-status.ts';
import { layOutPair, type Pair } from '../../../testkit/pair.ts';
import { readBalance, readCollectorBalance, untilReady } from '../../../testkit/product.ts';
import { Random } from '../../../testkit/random.ts';
import { SmallDisk } from '../../../testkit/small-disk.ts';
import { droppedOf, layOutFilter } from '../chaos-filter.ts';
import { sum } from '../chaos-report.ts';
import { CHAOS_GLOBS, ChaosWriter, type WrittenLog } from '../chaos-writer.ts';
import { type Fault, fileSizeLimit, fullDisk, NO_FAULT, nearlyFullDisk } from '../faults.ts';
import { inTime, type TimedPlan } from '../in-time.ts';
import { keepFiles } from '../keep-files.ts';
import { Supervised } from '../supervised.ts';
import type { ChaosStore } from './chaos-store.ts';
import { clickhouseStore } from './clickhouse-store.ts';
import { duckdbStore } from './duckdb-store.ts';
import { postgresStore, timescaleStore } from './postgres-store.ts';
import { auditRows } from './store-audit.ts';
import { type StoreReport, storeFailuresOf } from './store-report.ts';
import { disksLost, TREATMENTS, type Treatment } from './treatments.ts';

export interface StoreChaosPlan extends TimedPlan {
  readonly store: 'duckdb' | 'postgres' | 'timescaledb' | 'clickhouse';
  /** Two only with a server. */
  readonly aggregators: 1 | 2;
  readonly seed: number;
  /** The state of an aggregator is removed as often as it is killed. */
  readonly losesState?: boolean;
  /** The aggregator filters: see `chaos-filter.ts`. */
  readonly hasFilter?: boolean;
  /** An empty directory; the caller removes it. */
  readonly directory: string;
}

interface PairParts {
  readonly plan: StoreChaosPlan;
  readonly states: string;
  readonly store: ChaosStore;
  readonly filter: Readonly<Record<string, string>>;
}

const LOG_NAMES = ['alpha', 'beta', 'gamma', 'delta'];
const STATE_DISK_MEGABYTES = 512;
const STORE_DISK_MEGABYTES = 1024;
const DISK_MIN_FREE_MEMORY_BYTES = 3 * 2 ** 30;
const DRAIN_STALLED_AFTER_MS = 45_000;

/** Throws if it does not finish in time, with its last step. */
export async function runStoreChaos(plan: StoreChaosPlan): Promise<StoreReport> {
  const random = new Random(plan.seed);
  const stage = await setStage(plan, random);
  try {
    return await inTime(plan, (say) => play({ ...plan, say }, stage, random));
  } finally {
    await strike(stage);
  }
}

interface Stage {
  readonly store: ChaosStore;
  /** One for each aggregator; the collector uses the first one's. */
  readonly pairs: readonly [Pair, ...Pair[]];
  readonly collector: Supervised;
  readonly aggregators: readonly Supervised[];
  readonly writer: ChaosWriter;
  readonly disks: readonly SmallDisk[];
  readonly faults: readonly Fault[];
  readonly events: Map<string, number>;
  readonly misbehaviour: string[];
  fault: Fault;
}

async function play(plan: StoreChaosPlan, stage: Stage, random: Random): Promise<StoreReport> {
  stage.writer.start();
  await startTwice(stage, random);
  await playRounds(plan, stage, random);
  const written = stage.writer.stop();
  plan.say('The rounds are over; waiting for the remaining lines');
  await untilDrained(sum(written, 'bytes'), stage);
  plan.say('Stopping all processes and counting the rows');
  const report = await takeStock(plan, stage, written);
  if (storeFailuresOf(report).length > 0) await keepEvidence(stage, plan.directory);
  return report;
}

const SERVERS = {
  postgres: postgresStore,
  timescaledb: timescaleStore,
  clickhouse: clickhouseStore,
} as const;

async function setStage(plan: StoreChaosPlan, random: Random): Promise<Stage> {
  const { directory } = plan;
  await mkdir(directory, { recursive: true });
  // PostgreSQL runs as another user.
  await chmod(directory, 0o755);
  const keep = (name: string) => (chunk: Buffer) => appendFileSync(join(directory, `${name}.stderr`), chunk);
  const states = join(directory, 'states');
  const stateDisk = await mountDisk(plan, states, STATE_DISK_MEGABYTES);
  const storeDirectory = join(directory, 'store');
  const storeDisk =
    plan.store === 'duckdb' ? await mountDisk(plan, storeDirectory, STORE_DISK_MEGABYTES) : undefined;
  const store =
    plan.store === 'duckdb'
      ? duckdbStore(storeDirectory, storeDisk)
      : await SERVERS[plan.store](storeDirectory, random.fork(), keep(plan.store));
  const filter = plan.hasFilter ? await layOutFilter(directory) : {};
  const pairs = await layOutPairs({ plan, states, store, filter });
  const [pair] = pairs;
  const addresses = pairs.map(({ aggregatorAddress }) => aggregatorAddress).join(',');
  const supervise = (name: string, start: Pair['startAggregator']) =>
    new Supervised({
      name,
      stderrPath: join(directory, `${name}.stderr`),
      currentFault: () => stage.fault,
      onStarted: ({ pid }) => void stage.fault.onStarted?.(pid),
      start,
    });
  const collector = supervise('collector', (hooks) =>
    pair.startCollector({ ...hooks, env: { COLLECTOR_AGGREGATOR_ADDRESS: addresses } }),
  );
  const aggregators = pairs.map((each, index) =>
    supervise(index === 0 ? 'aggregator' : 'second aggregator', (hooks) => each.startAggregator(hooks)),
  );
  const stage: Stage = {
    ...{ store, pairs, collector, aggregators },
    writer: new ChaosWriter(pair.logDirectory, LOG_NAMES, random.fork()),
    disks: [stateDisk, storeDisk].filter((disk) => disk !== undefined),
    faults: [
      NO_FAULT,
      ...store.faults,
      fileSizeLimit([collector, ...aggregators]),
      ...(stateDisk === undefined ? [] : [nearlyFullDisk(stateDisk), fullDisk(stateDisk)]),
    ],
    events: new Map(),
    misbehaviour: [],
    fault: NO_FAULT,
  };
  return stage;
}

async function mountDisk(
  { say }: StoreChaosPlan,
  directory: string,
  megabytes: number,
): Promise<SmallDisk | undefined> {
  await mkdir(directory, { recursive: true });
  const disk =
    freemem() > DISK_MIN_FREE_MEMORY_BYTES ? await SmallDisk.mount(directory, megabytes) : undefined;
  if (disk === undefined) say(`SKIPPED: a full disk in ${directory}: no tmpfs can be mounted here`);
  return disk;
}

async function layOutPairs({ plan, states, store, filter }: PairParts): Promise<Stage['pairs']> {
  const layOut = (name: string) =>
    layOutPair({
      directory: plan.directory,
      stateParent: join(states, name),
      tail: CHAOS_GLOBS.map((glob) => join(plan.directory, 'logs', glob)).join(','),
      emitters: store.environment,
      aggregatorEnv: {
        ...filter,
        AGGREGATOR_MINIMUM_PUBLISH_FREQUENCY: '50ms',
        AGGREGATOR_RETRY_COUNT: '2',
        AGGREGATOR_RETRY_DELAY: '100ms',
        ...(plan.losesState && { AGGREGATOR_ACKNOWLEDGE: `delivered:${plan.store}` }),
      },
    });
  const first = await layOut('first');
  return plan.aggregators === 1 ? [first] : [first, await layOut('second')];
}

/** Killed while states and tables are created for the first time. Afterwards all of them must exist. */
async function startTwice({ collector, aggregators, pairs }: Stage, random: Random): Promise<void> {
  const all = [...aggregators, collector];
  for (const each of all) each.start();
  await sleep(random.between(0, 2000));
  await Promise.all(all.map((each) => each.kill()));
  for (const each of all) each.start();
  const [pair] = pairs;
  const addresses = [...pairs.map(({ aggregatorHttp }) => aggregatorHttp), pair.collectorHttp];
  await Promise.all(
    all.map(async ({ process }, index) => {
      if (process !== undefined) await untilReady(process, addresses[index] ?? '');
    }),
  );
}

async function playRounds(plan: StoreChaosPlan, stage: Stage, random: Random): Promise<void> {
  const faults = new Deck(stage.faults, random);
  const treatments = new Deck(treatmentsOf(plan, stage), random);
  const casts = new Deck(castsOf(stage), random);
  for (let round = 1; round <= plan.rounds; round++) {
    const [fault, treatment, victims] = [faults.deal(), treatments.deal(), casts.deal()];
    const deed = `${victims.map(({ name }) => name).join(' and ')} ${treatment.name}`;
    plan.say(`round ${round}: ${fault.name}; ${deed}`);
    for (const event of [fault.name, deed]) stage.events.set(event, (stage.events.get(event) ?? 0) + 1);
    stage.fault = fault;
    if (fault.mayEndProcesses) for (const each of [stage.collector, ...stage.aggregators]) each.harm();
    await fault.begin();
    await sleep(random.between(100, 1500));
    const complaints = await treatment.apply(victims, random);
    if (!fault.mayEndProcesses)
      stage.misbehaviour.push(...complaints.map((each) => `${each} (${fault.name})`));
    // Often disturbed again while it starts or reconnects, sometimes left running long enough to make
    // progress.
    await sleep(random.chance(0.6) ? random.between(50, 2000) : random.between(2000, 4000));
    await fault.end();
    stage.fault = NO_FAULT;
  }
}

function treatmentsOf({ losesState = false }: StoreChaosPlan, stage: Stage): readonly Treatment[] {
  if (!losesState) return TREATMENTS;
  const directoryOf = new Map(
    stage.aggregators.map((each, index) => [each, stage.pairs[index]?.aggregatorState ?? '']),
  );
  return [...TREATMENTS, ...Array.from({ length: 3 }, () => disksLost(directoryOf))];
}

/** Dealt like cards, so that also a short run has many kinds of faults. */
class Deck<T> {
  readonly #cards: readonly T[];
  readonly #random: Random;
  #left: T[] = [];

  constructor(cards: readonly T[], random: Random) {
    this.#cards = cards;
    this.#random = random;
  }

  deal(): T {
    if (this.#left.length === 0) this.#left = this.#random.shuffled(this.#cards);
    const card = this.#left.pop();
    if (card === undefined) throw new Error('There are no cards');
    return card;
  }
}

function castsOf({ collector, aggregators }: Stage): readonly (readonly Supervised[])[] {
  const alone = aggregators.map((aggregator) => [aggregator]);
  return [[collector], ...alone, ...alone, [collector, ...aggregators]];
}

/** Waits until everything is accepted and delivered, or until there is no progress for too long. */
async function untilDrained(writtenBytes: number, { pairs }: Stage): Promise<void> {
  let before = '';
  let movedAt = performance.now();
  while (performance.now() - movedAt < DRAIN_STALLED_AFTER_MS) {
    const collector = await statusIfRunning(collectorStatus(pairs[0].collectorState));
    const aggregators = await Promise.all(
      pairs.map((pair) => statusIfRunning(aggregatorStatus(pair.aggregatorState))),
    );
    const emitters = aggregators.flatMap((status) => status?.emitters ?? []);
    const isAccepted = collector?.accepted === writtenBytes;
    const isDelivered =
      !aggregators.includes(undefined) && emitters.every(({ queued }) => queued.records === 0);
    if (isAccepted && isDelivered) return;
    const now = JSON.stringify([collector, emitters]);
    if (now !== before) movedAt = performance.now();
    before = now;
    await sleep(200);
  }
}

/** undefined: the process does not answer now. */
async function statusIfRunning<Status>(status: Promise<Status>): Promise<Status | undefined> {
  try {
    return await status;
  } catch {
    return undefined;
  }
}

async function takeStock(
  plan: StoreChaosPlan,
  stage: Stage,
  written: readonly WrittenLog[],
): Promise<StoreReport> {
  const { pairs, collector, aggregators, store } = stage;
  const [pair] = pairs;
  const all = [collector, ...aggregators];
  const exits = await Promise.all(all.map((each) => each.askToStop()));
  return {
    seed: plan.seed,
    rounds: plan.rounds,
    events: stage.events,
    written,
    dropped: plan.hasFilter ? droppedOf(written) : NOTHING,
    rows: await auditRows(store.rows(), written, plan.hasFilter),
    balances: await Promise.all(
      pairs.map(({ aggregatorState }) => readBalance(aggregatorState).catch(String)),
    ),
    countsAnew: plan.losesState === true || pairs.length > 1,
    collectorBalance: await readCollectorBalance(pair.collectorState).catch(String),
    exits,
    misbehaviour: stage.misbehaviour,
    ownEnds: all.flatMap(({ ownEnds }) => ownEnds),
  };
}

/** Unmounts the small disks. */
async function keepEvidence({ disks }: Stage, directory: string): Promise<void> {
  for (const disk of disks) {
    await keepFiles(disk.directory, join(directory, `kept-${basename(disk.directory)}`));
  }
}

async function strike(stage: Stage): Promise<void> {
  stage.writer.stop();
  for (const each of [stage.collector, ...stage.aggregators]) await each.end();
  if (stage.fault !== NO_FAULT) await stage.fault.end();
  await stage.store.close();
  for (const disk of stage.disks) await disk.unmount();
}
