/**
 * A broker between two stages:
 *
 *     collector -> edge aggregator -> RabbitMQ -> two aggregators -> PostgreSQL
 *                                        |
 *                                        +-> a second queue, the archive
 *
 * Each round has a fault of the broker or of PostgreSQL, and one or several of the processes are killed, restarted or
 * frozen. After all rounds each line must be in PostgreSQL once, except for those that a purge or the deletion of the queue
 * has destroyed: the broker had confirmed them. These lines are in the archive. It is published again as a whole; then each
 * line must be in PostgreSQL once, without an exception.
 */
import { appendFileSync } from 'node:fs';
import { chmod, mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { NOTHING } from '../../../src/records/amount.ts';
import { OwnRabbitmq } from '../../../testkit/own-rabbitmq.ts';
import { aggregatorStatus, collectorStatus } from '../../../testkit/owner-status.ts';
import { layOutPair, type Pair } from '../../../testkit/pair.ts';
import { readBalance, readCollectorBalance } from '../../../testkit/product.ts';
import { Random } from '../../../testkit/random.ts';
import { sum } from '../chaos-report.ts';
import { CHAOS_GLOBS, ChaosWriter, type WrittenLog } from '../chaos-writer.ts';
import { type Fault, NO_FAULT } from '../faults.ts';
import { inTime, type TimedPlan } from '../in-time.ts';
import type { ChaosStore } from '../store/chaos-store.ts';
import { postgresStore } from '../store/postgres-store.ts';
import { auditRows } from '../store/store-audit.ts';
import { describeStoreReport, type StoreReport, storeFailuresOf } from '../store/store-report.ts';
import { disksLost, TREATMENTS, type Treatment } from '../store/treatments.ts';
import { Supervised } from '../supervised.ts';
import { Archive } from './archive.ts';
import { brokerFaults, type Destroyed, destroyingFaults, RECORDS_QUEUE } from './rabbitmq-faults.ts';

export interface RabbitmqChaosPlan extends TimedPlan {
  readonly seed: number;
  /** The queue is neither purged nor deleted: then no line may be missing at any time. */
  readonly keepsQueue?: boolean;
  /**
   * Each aggregator loses its whole state again and again, and answers only what is delivered: the edge what the broker has
   * confirmed, the others what PostgreSQL has.
   */
  readonly losesState?: boolean;
  /** An empty directory; the caller removes it. */
  readonly directory: string;
}

export interface RabbitmqChaosReport {
  readonly store: StoreReport;
  /** Messages that were purged or deleted with their queue. */
  readonly destroyedMessages: number;
  /** Lines that were missing before the archive was published again. */
  readonly destroyedLines: number;
  readonly replayedMessages: number;
}

const LOG_NAMES = ['alpha', 'beta', 'gamma', 'delta'];
const EXCHANGE = 'records';
/** The start of a broker takes its time. */
const ROUND_DEADLINE_MS = 90_000;
const REST_DEADLINE_MS = 15 * 60_000;
const DRAIN_STALLED_AFTER_MS = 120_000;

/** Throws if it does not finish in time, with its last step. */
export async function runRabbitmqChaos(plan: RabbitmqChaosPlan): Promise<RabbitmqChaosReport> {
  const random = new Random(plan.seed);
  const stage = await setStage(plan, random);
  try {
    const { deadlineMs = plan.rounds * ROUND_DEADLINE_MS + REST_DEADLINE_MS } = plan;
    return await inTime({ ...plan, deadlineMs }, (say) => play({ ...plan, say }, stage, random));
  } finally {
    await strike(stage);
  }
}

/** Returns all violations of the guarantees; empty if there are none. */
export function rabbitmqFailuresOf(report: RabbitmqChaosReport): readonly string[] {
  const { store, destroyedLines, destroyedMessages } = report;
  return [
    ...(destroyedLines > 0 && destroyedMessages === 0
      ? [`${destroyedLines} lines were missing although nothing was purged`]
      : []),
    ...storeFailuresOf(store),
  ];
}

export function describeRabbitmqReport(report: RabbitmqChaosReport): string {
  const { store, destroyedLines, destroyedMessages, replayedMessages } = report;
  return [
    `purged    ${destroyedMessages} confirmed messages; ${destroyedLines} lines were missing, and the archive of ${replayedMessages} messages was published again`,
    describeStoreReport(store),
    ...rabbitmqFailuresOf(report),
  ].join('\n');
}

interface Stage {
  readonly broker: OwnRabbitmq;
  readonly archive: Archive;
  readonly store: ChaosStore;
  readonly edge: Pair;
  readonly cores: readonly [Pair, Pair];
  readonly collector: Supervised;
  readonly edgeAggregator: Supervised;
  readonly coreAggregators: readonly Supervised[];
  readonly writer: ChaosWriter;
  readonly faults: readonly Fault[];
  readonly destroyed: Destroyed;
  readonly events: Map<string, number>;
  readonly misbehaviour: string[];
  fault: Fault;
}

const allOf = ({ collector, edgeAggregator, coreAggregators }: Stage) => [
  ...coreAggregators,
  edgeAggregator,
  collector,
];

async function play(plan: RabbitmqChaosPlan, stage: Stage, random: Random): Promise<RabbitmqChaosReport> {
  stage.writer.start();
  for (const each of allOf(stage)) each.start();
  await playRounds(plan, stage, random);
  const written = stage.writer.stop();
  plan.say('The rounds are over; waiting for the remaining lines');
  await untilDrained(sum(written, 'bytes'), stage);
  const before = await auditRows(stage.store.rows(), written);
  plan.say('Publishing the archive again');
  const replayedMessages = await stage.archive.replay(RECORDS_QUEUE);
  await untilDrained(sum(written, 'bytes'), stage);
  plan.say('Stopping all processes and counting the rows');
  return {
    store: await takeStock(plan, stage, written),
    destroyedMessages: stage.destroyed.messages,
    destroyedLines: before.missing,
    replayedMessages,
  };
}

async function setStage(plan: RabbitmqChaosPlan, random: Random): Promise<Stage> {
  const { directory, keepsQueue = false, losesState = false } = plan;
  await mkdir(directory, { recursive: true });
  // PostgreSQL and RabbitMQ run as other users.
  await chmod(directory, 0o755);
  const keep = (name: string) => (chunk: Buffer) => appendFileSync(join(directory, `${name}.stderr`), chunk);
  const broker = await OwnRabbitmq.create({ directory: join(directory, 'rabbitmq') });
  await broker.start();
  const archive = new Archive(broker);
  await archive.prepare(EXCHANGE, RECORDS_QUEUE);
  await broker.syncQueueNames();
  const store = await postgresStore(join(directory, 'store'), random.fork(), keep('postgres'));
  const edge = await layOutEdge(directory, broker, losesState);
  const cores = [
    await layOutCore('first', { directory, broker, store, losesState }),
    await layOutCore('second', { directory, broker, store, losesState }),
  ] as const;
  const destroyed: Destroyed = { messages: 0 };
  const supervise = (name: string, start: Pair['startAggregator']) =>
    new Supervised({
      name,
      stderrPath: join(directory, `${name}.stderr`),
      currentFault: () => stage.fault,
      onStarted: () => {},
      start,
    });
  const databaseFaults = store.faults.filter(({ name }) => /^PostgreSQL is (?:killed|restarted)/.test(name));
  const stage: Stage = {
    ...{ broker, archive, store, edge, cores, destroyed },
    collector: supervise('collector', (hooks) => edge.startCollector(hooks)),
    edgeAggregator: supervise('edge aggregator', (hooks) => edge.startAggregator(hooks)),
    coreAggregators: [
      supervise('first aggregator', (hooks) => cores[0].startAggregator(hooks)),
      supervise('second aggregator', (hooks) => cores[1].startAggregator(hooks)),
    ],
    writer: new ChaosWriter(edge.logDirectory, LOG_NAMES, random.fork()),
    faults: [
      NO_FAULT,
      ...brokerFaults(broker),
      ...(keepsQueue ? [] : destroyingFaults(broker, destroyed)),
      ...databaseFaults,
    ],
    events: new Map(),
    misbehaviour: [],
    fault: NO_FAULT,
  };
  return stage;
}

const FAST = {
  AGGREGATOR_MINIMUM_PUBLISH_FREQUENCY: '50ms',
  AGGREGATOR_RETRY_COUNT: '2',
  AGGREGATOR_RETRY_DELAY: '100ms',
};

async function layOutEdge(directory: string, broker: OwnRabbitmq, losesState: boolean): Promise<Pair> {
  const emitter = {
    ...{ address: broker.url(), queue: RECORDS_QUEUE, exchange: EXCHANGE, exchange_type: 'fanout' },
    ...{ timeout: '5s', confirm_timeout: '5s' },
  };
  return await layOutPair({
    directory,
    stateParent: join(directory, 'states', 'edge'),
    tail: CHAOS_GLOBS.map((glob) => join(directory, 'logs', glob)).join(','),
    emitters: { AGGREGATOR_RABBITMQ_CONFIGURATION: JSON.stringify(emitter) },
    aggregatorEnv: { ...FAST, ...(losesState && { AGGREGATOR_ACKNOWLEDGE: 'delivered:rabbitmq' }) },
  });
}

interface CoreParts {
  readonly directory: string;
  readonly broker: OwnRabbitmq;
  readonly store: ChaosStore;
  readonly losesState: boolean;
}

async function layOutCore(name: string, { directory, broker, store, losesState }: CoreParts): Promise<Pair> {
  const intake = {
    ...{ address: broker.url(), queue: RECORDS_QUEUE, exchange: EXCHANGE, exchange_type: 'fanout' },
    ...{ timeout: '5s', prefetch: 16 },
  };
  return await layOutPair({
    directory,
    stateParent: join(directory, 'states', name),
    emitters: store.environment,
    aggregatorEnv: {
      ...FAST,
      AGGREGATOR_RABBITMQ_INTAKE_CONFIGURATION: JSON.stringify(intake),
      ...(losesState && { AGGREGATOR_ACKNOWLEDGE: 'delivered:postgres' }),
    },
  });
}

async function playRounds(plan: RabbitmqChaosPlan, stage: Stage, random: Random): Promise<void> {
  const { collector, edgeAggregator, coreAggregators } = stage;
  const casts = [[], [edgeAggregator], ...coreAggregators.map((core) => [core]), [...coreAggregators]];
  const all = [...casts, [collector, edgeAggregator], [edgeAggregator, ...coreAggregators.slice(0, 1)]];
  const treatments = treatmentsOf(plan, stage);
  let faults: Fault[] = [];
  for (let round = 1; round <= plan.rounds; round++) {
    // Dealt like cards, so that also a short run has many kinds of faults.
    if (faults.length === 0) faults = random.shuffled(stage.faults);
    const fault = faults.pop() ?? NO_FAULT;
    const [treatment, victims] = [random.pick(treatments), random.pick(all)];
    const deed =
      victims.length === 0
        ? 'nothing is killed'
        : `${victims.map(({ name }) => name).join(' and ')} ${treatment.name}`;
    plan.say(`round ${round}: ${fault.name}; ${deed}`);
    for (const event of [fault.name, deed]) stage.events.set(event, (stage.events.get(event) ?? 0) + 1);
    stage.fault = fault;
    await fault.begin();
    await sleep(random.between(100, 1500));
    stage.misbehaviour.push(...(await treatment.apply(victims, random)));
    await sleep(random.between(50, 3000));
    await fault.end();
    stage.fault = NO_FAULT;
  }
}

function treatmentsOf({ losesState = false }: RabbitmqChaosPlan, stage: Stage): readonly Treatment[] {
  if (!losesState) return TREATMENTS;
  const { edge, cores, edgeAggregator, coreAggregators } = stage;
  const directoryOf = new Map([
    [edgeAggregator, edge.aggregatorState],
    ...coreAggregators.map((each, index) => [each, cores[index]?.aggregatorState ?? ''] as const),
  ]);
  return [...TREATMENTS, ...Array.from({ length: 5 }, () => disksLost(directoryOf))];
}

/** Waits until everything is accepted, published, consumed and stored, or until there is no progress for too long. */
async function untilDrained(writtenBytes: number, stage: Stage): Promise<void> {
  let before = '';
  let movedAt = performance.now();
  while (performance.now() - movedAt < DRAIN_STALLED_AFTER_MS) {
    const [collector, edge, messages, ...cores] = await Promise.all([
      orUndefined(collectorStatus(stage.edge.collectorState)),
      orUndefined(aggregatorStatus(stage.edge.aggregatorState)),
      orUndefined(stage.archive.messagesIn(RECORDS_QUEUE)),
      ...stage.cores.map(({ aggregatorState }) => orUndefined(aggregatorStatus(aggregatorState))),
    ]);
    const aggregators = [edge, ...cores];
    const emitters = aggregators.flatMap((status) => status?.emitters ?? []);
    const isEmpty = !aggregators.includes(undefined) && emitters.every(({ queued }) => queued.records === 0);
    if (collector?.accepted === writtenBytes && messages === 0 && isEmpty) return;
    const now = JSON.stringify([collector?.accepted, messages, emitters]);
    if (now !== before) movedAt = performance.now();
    before = now;
    await sleep(300);
  }
}

async function orUndefined<T>(promise: Promise<T>): Promise<T | undefined> {
  return await promise.catch(() => undefined);
}

async function takeStock(
  plan: RabbitmqChaosPlan,
  stage: Stage,
  written: readonly WrittenLog[],
): Promise<StoreReport> {
  const { edge, cores, store } = stage;
  const all = allOf(stage);
  const exits = await Promise.all(all.map((each) => each.askToStop()));
  return {
    seed: plan.seed,
    rounds: plan.rounds,
    events: stage.events,
    written,
    dropped: NOTHING,
    rows: await auditRows(store.rows(), written),
    balances: await Promise.all(
      [edge, ...cores].map(({ aggregatorState }) => readBalance(aggregatorState).catch(String)),
    ),
    collectorBalance: await readCollectorBalance(edge.collectorState).catch(String),
    exits,
    misbehaviour: stage.misbehaviour,
    countsAnew: true,
    ownEnds: all.flatMap(({ ownEnds }) => ownEnds),
  };
}

async function strike(stage: Stage): Promise<void> {
  stage.writer.stop();
  await Promise.all(allOf(stage).map((each) => each.end()));
  await stage.broker.end();
  await stage.store.close();
}
