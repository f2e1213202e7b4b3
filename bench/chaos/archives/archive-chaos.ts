/**
 * Rotations with compression, partial lines of containers, and a journal, under kills. Real processes:
 *
 *     plain logs, renamed or copied, compressed by gzip and zstd   --.
 *     a log of a container, stdout and stderr in partial lines     ---+--> collector --> aggregator --> file
 *     a journal file of systemd-journal-remote                     --'
 *
 * In each round the collector, the aggregator or both are killed with SIGKILL and started again, in some rounds while no
 * file may grow. Afterwards each line must be in the file exactly once. Lines may be out of order: a generation that was
 * compressed while the collector was down may be found after the next one was begun.
 */
import { createReadStream } from 'node:fs';
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { setTimeout as sleep } from 'node:timers/promises';
import { layOutPair, type Pair } from '../../../testkit/pair.ts';
import { untilReady } from '../../../testkit/product.ts';
import { Random } from '../../../testkit/random.ts';
import { type Fault, fileSizeLimit, NO_FAULT, outputParts, type Victim } from '../faults.ts';
import { inTime, type TimedPlan } from '../in-time.ts';
import { LineAudit } from '../line-audit.ts';
import { Supervised } from '../supervised.ts';
import type { ArchiveChaosReport } from './archive-report.ts';
import { ContainerWriter, partsOfRecord } from './container-writer.ts';
import { hasJournalWriter, JournalWriter } from './journal-writer.ts';
import { RotationWriter } from './rotation-writer.ts';

export interface ArchiveChaosPlan extends TimedPlan {
  readonly seed: number;
  /** An empty directory; the caller removes it. */
  readonly directory: string;
}

const TICK_MS = 20;
const DRAIN_STALLED_AFTER_MS = 90_000;
const AFTERMATH_MS = 3_000;

/** Throws if it does not finish in time, with its last step. */
export async function runArchiveChaos(plan: ArchiveChaosPlan): Promise<ArchiveChaosReport> {
  const random = new Random(plan.seed);
  const stage = await setStage(plan, random.fork());
  try {
    return await inTime(plan, (say) => play({ ...plan, say }, stage, random));
  } finally {
    await strike(stage);
  }
}

interface Stage {
  readonly pair: Pair;
  readonly processes: Readonly<Record<Victim, Supervised>>;
  readonly rotations: RotationWriter;
  readonly container: ContainerWriter;
  readonly journal: JournalWriter | undefined;
  readonly events: Map<string, number>;
  fault: Fault;
  timer: NodeJS.Timeout | undefined;
}

async function setStage({ directory, say }: ArchiveChaosPlan, random: Random): Promise<Stage> {
  const journals = join(directory, 'journals');
  await mkdir(journals, { recursive: true });
  const hasJournal = hasJournalWriter();
  if (!hasJournal) say('SKIPPED: the journal, since systemd-journal-remote is not installed');
  const pods = join(directory, 'logs', 'pods', 'shop_web-0_11111111-2222-3333-4444-555555555555', 'web');
  const pair = await layOutPair({
    directory,
    tail: 'unused',
    format: 'plain',
    collectorEnv: {
      COLLECTOR_TAIL_CONFIGURATION: JSON.stringify([
        { paths: [join(pods, '*.log'), join(pods, '*.log-*')], format: 'cri' },
        {
          paths: ['*.log', '*.log.*', '*.log-*'].map((glob) => join(directory, 'logs', glob)),
          format: 'plain',
        },
      ]),
      ...(hasJournal && {
        COLLECTOR_JOURNALD_CONFIGURATION: JSON.stringify([{ directory: journals }]),
      }),
    },
    aggregatorEnv: { AGGREGATOR_MINIMUM_PUBLISH_FREQUENCY: '50ms' },
    emitters: {
      AGGREGATOR_FILE_CONFIGURATION: JSON.stringify({
        path: join(directory, 'output', 'output.log'),
        format: 'json',
      }),
    },
  });
  const supervise = (name: Victim) =>
    new Supervised({
      name,
      stderrPath: join(directory, `${name}.stderr`),
      currentFault: () => stage.fault,
      onStarted: (child) => void stage.fault.onStarted?.(child.pid),
      start: (hooks) => (name === 'collector' ? pair.startCollector(hooks) : pair.startAggregator(hooks)),
    });
  const stage: Stage = {
    ...{ pair, events: new Map(), fault: NO_FAULT, timer: undefined },
    processes: { collector: supervise('collector'), aggregator: supervise('aggregator') },
    rotations: new RotationWriter(pair.logDirectory, random.fork()),
    container: new ContainerWriter(join(pods, '0.log'), random.fork()),
    journal: hasJournal ? new JournalWriter(join(journals, 'chaos.journal'), random.fork()) : undefined,
  };
  return stage;
}

async function play(plan: ArchiveChaosPlan, stage: Stage, random: Random): Promise<ArchiveChaosReport> {
  const { processes, rotations, container, journal } = stage;
  processes.aggregator.start();
  processes.collector.start();
  // The logs are known before their first rotation.
  if (processes.collector.process !== undefined)
    await untilReady(processes.collector.process, stage.pair.collectorHttp);
  journal?.start();
  stage.timer = setInterval(() => {
    rotations.tick();
    container.tick();
  }, TICK_MS);
  await playRounds(plan, stage, random);
  clearInterval(stage.timer);
  rotations.finish();
  container.finish();
  await journal?.stop();
  const written = [
    ...rotations.written,
    ...container.written,
    ...(journal === undefined ? [] : [journal.written]),
  ];
  plan.say('The rounds are over; waiting for the remaining lines');
  await untilDrained(
    stage,
    written.reduce((sum, { lines }) => sum + lines, 0),
  );
  const lostBytes = await lostBytesOf(stage.pair);
  plan.say('Stopping both processes and counting the output');
  const exits = [await processes.collector.askToStop(), await processes.aggregator.askToStop()];
  const audit = new LineAudit(written);
  let joined = 0;
  await forEachBody(stage.pair, (body) => {
    const parts = partsOfRecord(body);
    if (parts.length > 1) joined++;
    for (const part of parts) audit.line(part, 'output');
  });
  return {
    ...{ seed: plan.seed, rounds: plan.rounds, events: stage.events, written, lostBytes, exits },
    rotations: rotations.rotations + container.rotations,
    archives: rotations.archives + container.archives,
    joined,
    audit: audit.result(),
    ownEnds: [processes.collector, processes.aggregator].flatMap(({ ownEnds }) => ownEnds),
  };
}

const VICTIMS: readonly (readonly Victim[])[] = [
  ['collector'],
  ['collector'],
  ['collector'],
  ['aggregator'],
  ['collector', 'aggregator'],
];

async function playRounds({ rounds, say }: ArchiveChaosPlan, stage: Stage, random: Random): Promise<void> {
  const { collector, aggregator } = stage.processes;
  const limited = fileSizeLimit([collector, aggregator]);
  for (let round = 1; round <= rounds; round++) {
    const fault = random.chance(0.2) ? limited : NO_FAULT;
    const victims = random.pick(VICTIMS);
    const event = `${victims.join(' and ')} killed${fault === NO_FAULT ? '' : `, ${fault.name}`}`;
    say(`round ${round}: ${event}`);
    stage.events.set(event, (stage.events.get(event) ?? 0) + 1);
    await playRound(stage, fault, victims, random);
  }
}

async function playRound(
  stage: Stage,
  fault: Fault,
  victims: readonly Victim[],
  random: Random,
): Promise<void> {
  const { processes } = stage;
  stage.fault = fault;
  if (fault.mayEndProcesses) for (const process of Object.values(processes)) process.harm();
  await fault.begin();
  await sleep(random.between(100, 1500));
  await Promise.all(victims.map((victim) => processes[victim].kill()));
  // Sometimes long enough for several rotations.
  await sleep(random.chance(0.3) ? random.between(2000, 5000) : random.between(0, 600));
  for (const victim of victims) processes[victim].start();
  await sleep(random.chance(0.5) ? random.between(50, 2000) : random.between(3000, 6000));
  await fault.end();
  stage.fault = NO_FAULT;
}

/** Waits until everything is delivered, or until there is no progress for too long. */
async function untilDrained({ pair }: Stage, due: number): Promise<void> {
  let before = -1;
  let movedAt = performance.now();
  while (performance.now() - movedAt < DRAIN_STALLED_AFTER_MS) {
    let lines = 0;
    await forEachBody(pair, (body) => {
      lines += partsOfRecord(body).length;
    });
    if (lines >= due) break;
    if (lines !== before) movedAt = performance.now();
    before = lines;
    await sleep(1000);
  }
  await sleep(AFTERMATH_MS);
}

async function forEachBody({ outputPath }: Pair, use: (body: string) => void): Promise<void> {
  for (const path of outputParts(outputPath))
    for await (const line of createInterface({ input: createReadStream(path) }))
      use((JSON.parse(line) as { readonly body: string }).body);
}

/** In all runs with this state. */
async function lostBytesOf({ collectorHttp }: Pair): Promise<number> {
  const answer = await fetch(`http://${collectorHttp}/metrics`);
  const lines = (await answer.text()).split('\n');
  const lost = lines.filter((line) => line.startsWith('collector_tail_lost_bytes_total'));
  return lost.reduce((sum, line) => sum + Number(line.split(' ').at(-1)), 0);
}

async function strike({ processes, journal, fault, timer }: Stage): Promise<void> {
  clearInterval(timer);
  await journal?.stop();
  for (const process of Object.values(processes)) await process.end();
  if (fault !== NO_FAULT) await fault.end();
}
