/**
 * Many failures in a minute or two.
 *
 * Real processes: a writer appends numbered lines to several logs and rotates them; a collector tails them;
 * an aggregator emits them to a file (exactly once) and to its stdout (at least once). Each round has a fault
 * (`faults.ts`) and a behaviour of PagerDuty, and one or both of the processes are killed with SIGKILL and
 * started again.
 *
 *     fault begins -- a while -- SIGKILL -- a while -- start -- a while -- fault ends
 *
 * After all rounds the faults end and the writer stops. Then every line must be delivered: to the file once,
 * in the order of its log over all generations; to stdout at least once, the first time in that order. Both
 * processes must exit with 0 after SIGTERM, none may have ended unexpectedly, and the balances of both must
 * match the written lines.
 *
 * The seed determines every choice, but not the timing: the same seed gives the same plan, not the same race.
 */
import { mkdir, stat } from 'node:fs/promises';
import { freemem } from 'node:os';
import { dirname, join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { StreamBalanceReport } from '../../src/collector/collector-reports.ts';
import { type Amount, NOTHING } from '../../src/records/amount.ts';
import type { QueueBalance } from '../../src/storage/queue/queue-contract.ts';
import { layOutPair, type Pair } from '../../testkit/pair.ts';
import { readBalance, readCollectorBalance } from '../../testkit/product.ts';
import { Random } from '../../testkit/random.ts';
import { SmallDisk } from '../../testkit/small-disk.ts';
import { droppedOf, layOutFilter } from './chaos-filter.ts';
import { type ChaosReport, failuresOf, sum } from './chaos-report.ts';
import { CHAOS_GLOBS, ChaosWriter, type WrittenLog } from './chaos-writer.ts';
import { CollectorClones } from './collector-clones.ts';
import { type Fault, faultsOf, NO_FAULT, outputParts, type Victim, type World } from './faults.ts';
import { inTime, type TimedPlan } from './in-time.ts';
import { keepFiles } from './keep-files.ts';
import { auditFiles, LineAudit } from './line-audit.ts';
import { PAGER_MOODS, PagerEndpoint } from './pager-endpoint.ts';
import { StdoutLog } from './stdout-log.ts';
import { Supervised } from './supervised.ts';

export interface ChaosPlan extends TimedPlan {
  readonly seed: number;
  /** The aggregator filters: see `chaos-filter.ts`. */
  readonly hasFilter?: boolean;
  /** An empty directory; the caller removes it. */
  readonly directory: string;
  /** In some rounds a clone of the collector runs beside it. They take long. */
  readonly hasClones?: boolean;
}

const LOG_NAMES = ['alpha', 'beta', 'gamma', 'delta'];
const DISK_MEGABYTES = 512;
const OUTPUT_DISK_MEGABYTES = 256;
const DISK_MIN_FREE_MEMORY_BYTES = 3 * 2 ** 30;
const DRAIN_STALLED_AFTER_MS = 45_000;
/** Time for output that may still arrive although everything is there. */
const AFTERMATH_MS = 2000;

/** Throws if it does not finish in time, with its last step. */
export async function runChaos(plan: ChaosPlan): Promise<ChaosReport> {
  const random = new Random(plan.seed);
  const stage = await setStage(plan, random.fork());
  try {
    return await inTime(plan, (say) => play({ ...plan, say }, stage, random));
  } finally {
    await strike(stage);
  }
}

async function play(plan: ChaosPlan, stage: Stage, random: Random): Promise<ChaosReport> {
  const { world, writer } = stage;
  world.aggregator.start();
  world.collector.start();
  writer.start();
  await playRounds(plan, stage, random);
  const written = [...writer.stop(), ...(stage.clones?.written ?? [])];
  plan.say('The rounds are over; waiting for the remaining lines');
  await untilDrained(sum(written, 'bytes') - droppedBy(plan, written).bytes, stage);
  plan.say('Stopping both processes and counting the output');
  const report = await takeStock(plan, stage, written);
  if (failuresOf(report).length > 0) await keepEvidence(stage, plan.directory);
  return report;
}

/** Prepares everything for a run, without starting it. */
interface Stage {
  readonly pair: Pair;
  readonly world: World;
  readonly writer: ChaosWriter;
  readonly pager: PagerEndpoint | undefined;
  readonly stdout: StdoutLog;
  readonly faultCounts: Map<string, number>;
  /** Made after the rest. */
  clones: CollectorClones | undefined;
  fault: Fault;
}

async function setStage(plan: ChaosPlan, random: Random): Promise<Stage> {
  const { directory, say } = plan;
  await mkdir(directory, { recursive: true });
  const mayMount = freemem() > DISK_MIN_FREE_MEMORY_BYTES;
  if (!mayMount) say('SKIPPED: full disks, since there is too little free memory for a tmpfs');
  const stateDisk = mayMount ? await SmallDisk.mount(join(directory, 'states'), DISK_MEGABYTES) : undefined;
  const outputDisk = mayMount
    ? await SmallDisk.mount(join(directory, 'outputs'), OUTPUT_DISK_MEGABYTES)
    : undefined;
  if (mayMount && stateDisk === undefined)
    say('SKIPPED: full disks, since mounting a tmpfs is not possible here');
  const pager = await startPager(plan);
  const pair = await layOutPair({
    directory,
    tail: CHAOS_GLOBS.map((glob) => join(directory, 'logs', glob)).join(','),
    ...(stateDisk && { stateParent: stateDisk.directory }),
    outputDirectory: join(directory, 'outputs', 'output'),
    aggregatorEnv: {
      ...(plan.hasFilter === true && (await layOutFilter(directory))),
      AGGREGATOR_TEXT_CONFIGURATION: 'true',
      AGGREGATOR_MINIMUM_PUBLISH_FREQUENCY: '50ms',
      AGGREGATOR_RETRY_COUNT: '2',
      AGGREGATOR_RETRY_DELAY: '100ms',
      ...(pager && pagerEnvironment(pager)),
    },
  });
  const stdout = new StdoutLog(join(directory, 'stdout.log'));
  const writer = new ChaosWriter(pair.logDirectory, LOG_NAMES, random);
  const stage: Omit<Stage, 'world'> = {
    ...{ pair, pager, stdout, writer },
    ...{ faultCounts: new Map(), clones: undefined, fault: NO_FAULT },
  };
  const supervise = (name: Victim) =>
    new Supervised({
      name,
      stderrPath: join(directory, `${name}.stderr`),
      currentFault: () => full.fault,
      onStarted: (child) => void full.fault.onStarted?.(child.pid),
      start: (hooks) =>
        name === 'collector'
          ? pair.startCollector(hooks)
          : pair.startAggregator({ ...hooks, onStdout: stdout.newProcess() }),
    });
  const world: World = {
    collector: supervise('collector'),
    aggregator: supervise('aggregator'),
    outputPath: pair.outputPath,
    stateDisk,
    outputDisk,
  };
  const full: Stage = { ...stage, world };
  if (plan.hasClones === true) {
    const { collector } = world;
    full.clones = await CollectorClones.prepare({ pair, directory, writer, collector, random, say });
  }
  return full;
}

async function startPager({ directory, say }: ChaosPlan): Promise<PagerEndpoint | undefined> {
  try {
    return await PagerEndpoint.start(directory);
  } catch (error) {
    say(`SKIPPED: PagerDuty, since openssl is needed for its certificate: ${String(error)}`);
    return undefined;
  }
}

function pagerEnvironment(pager: PagerEndpoint): Record<string, string> {
  return {
    NODE_EXTRA_CA_CERTS: pager.certificatePath,
    AGGREGATOR_NOTIFY_CONFIGURATION: JSON.stringify({
      integration_key: pager.integrationKey,
      incident_key: 'chaos',
      identifier: 'chaos',
      server: `https://localhost:${pager.port}`,
    }),
  };
}

async function playRounds(plan: ChaosPlan, stage: Stage, random: Random): Promise<void> {
  const faults = [...faultsOf(stage.world), ...(stage.clones === undefined ? [] : [stage.clones.fault])];
  let deck: Fault[] = [];
  await sleep(random.between(0, 3000));
  for (let round = 1; round <= plan.rounds; round++) {
    // Dealt like cards, so that also a short run has many kinds of faults.
    if (deck.length === 0) deck = random.shuffled(faults);
    const fault = deck.pop() ?? NO_FAULT;
    const victims = fault.victims ?? chosenVictims(random);
    if (stage.pager !== undefined) stage.pager.mood = random.pick(PAGER_MOODS);
    plan.say(`round ${round}: ${fault.name}; ${victims.join(' and ')} killed`);
    stage.faultCounts.set(fault.name, (stage.faultCounts.get(fault.name) ?? 0) + 1);
    await playRound(stage, fault, victims, random);
  }
  if (stage.pager !== undefined) stage.pager.mood = 'accepts';
}

async function playRound(
  stage: Stage,
  fault: Fault,
  victims: readonly Victim[],
  random: Random,
): Promise<void> {
  const { world } = stage;
  stage.fault = fault;
  if (fault.mayEndProcesses) for (const supervised of [world.collector, world.aggregator]) supervised.harm();
  await fault.begin();
  await sleep(random.between(100, 1500));
  await Promise.all(victims.map((victim) => world[victim].kill()));
  await sleep(random.between(0, 600));
  for (const victim of victims) world[victim].start();
  // Often killed again while it starts or reconnects, sometimes left running long enough to make progress.
  await sleep(random.chance(0.6) ? random.between(50, 2000) : random.between(3000, 6000));
  await fault.end();
  stage.fault = NO_FAULT;
}

function chosenVictims(random: Random): readonly Victim[] {
  return random.pick<readonly Victim[]>([
    ['collector'],
    ['collector'],
    ['aggregator'],
    ['aggregator'],
    ['collector', 'aggregator'],
  ]);
}

/** Waits until everything is delivered both ways, or until there is no progress for too long. */
async function untilDrained(due: number, stage: Stage): Promise<void> {
  let before = -1;
  let movedAt = performance.now();
  while (performance.now() - movedAt < DRAIN_STALLED_AFTER_MS) {
    const emitted = await fileBytes(stage);
    if (emitted >= due && stage.stdout.bytes >= due && (await nothingIsQueued(stage))) break;
    if (emitted + stage.stdout.bytes !== before) movedAt = performance.now();
    before = emitted + stage.stdout.bytes;
    await sleep(200);
  }
  await sleep(AFTERMATH_MS);
}

async function fileBytes({ pair }: Stage): Promise<number> {
  const sizes = await Promise.all(outputParts(pair.outputPath).map(async (path) => (await stat(path)).size));
  return sizes.reduce((total, size) => total + size, 0);
}

async function nothingIsQueued({ pair }: Stage): Promise<boolean> {
  const balance = await balanceOf(pair);
  return typeof balance !== 'string' && balance.emitters.every(({ queued }) => queued.records === 0);
}

async function takeStock(
  plan: ChaosPlan,
  stage: Stage,
  written: readonly WrittenLog[],
): Promise<ChaosReport> {
  const { world, pair, stdout, clones } = stage;
  const exits = [await world.collector.askToStop(), await world.aggregator.askToStop()];
  const isFiltered = plan.hasFilter === true;
  const file = new LineAudit(written, { isFiltered });
  await auditFiles(file, outputParts(pair.outputPath));
  const printed = new LineAudit(written, { isFiltered, mayBeTorn: true });
  stdout.close();
  await auditFiles(printed, [stdout.path]);
  return {
    seed: plan.seed,
    rounds: plan.rounds,
    faults: stage.faultCounts,
    written,
    clones: clones?.report(),
    file: file.result(),
    dropped: droppedBy(plan, written),
    stdout: printed.result(),
    balance: await balanceOf(pair),
    collectorBalance: await collectorBalanceOf(pair),
    exits,
    ownEnds: [world.collector, world.aggregator, ...(clones?.ended ?? [])].flatMap(({ ownEnds }) => ownEnds),
    pager: stage.pager?.counts,
    undeliverableRounds: faultsOf(world)
      .filter(({ stopsDelivery }) => stopsDelivery)
      .reduce((total, { name }) => total + (stage.faultCounts.get(name) ?? 0), 0),
  };
}

function droppedBy({ hasFilter }: ChaosPlan, written: readonly WrittenLog[]): Amount {
  return hasFilter === true ? droppedOf(written) : NOTHING;
}

async function balanceOf(pair: Pair): Promise<QueueBalance | string> {
  try {
    return await readBalance(pair.aggregatorState);
  } catch (error) {
    return String(error);
  }
}

async function collectorBalanceOf(pair: Pair): Promise<StreamBalanceReport | string> {
  try {
    return await readCollectorBalance(pair.collectorState);
  } catch (error) {
    return String(error);
  }
}

/** Unmounts the small disks. */
async function keepEvidence({ pair }: Stage, directory: string): Promise<void> {
  await keepFiles(dirname(pair.outputPath), join(directory, 'kept-output'));
  await keepFiles(pair.aggregatorState, join(directory, 'kept-aggregator'));
  await keepFiles(pair.collectorState, join(directory, 'kept-collector'));
}

async function strike({ world, writer, pager, clones, fault }: Stage): Promise<void> {
  writer.stop();
  await world.collector.end();
  await world.aggregator.end();
  await clones?.stop();
  if (fault !== NO_FAULT) await fault.end();
  pager?.stop();
  await world.stateDisk?.unmount();
  await world.outputDisk?.unmount();
}
