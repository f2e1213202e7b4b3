/**
 * Failures of syslog senders and receivers. Real processes:
 *
 *     writer --> rsyslog --RELP--> witness --.
 *                                            +--> collector --> aggregator --> file
 *     loggen ------------TCP----------------'
 *
 * In each round one or several of rsyslog, loggen, collector and aggregator are killed with SIGKILL and started
 * again, or the RELP connection breaks.
 *
 * Afterwards every message that the collector answered must be in the file, and a second time only with the mark
 * of a repetition; with `identity` not a second time at all. rsyslog keeps sent messages in memory until
 * they are answered, so a kill of rsyslog loses some of them. The witness knows which: they are counted, and are
 * no failure of the collector.
 *
 * omrelp does nothing while it has no new message: it neither notices a broken connection nor sends the
 * unanswered messages again. So the writer still writes slowly until its last message has arrived.
 */

import { once } from 'node:events';
import { readFile } from 'node:fs/promises';
import { connect } from 'node:net';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { freePorts } from '../../../testkit/free-ports.ts';
import { layOutPair, type Pair } from '../../../testkit/pair.ts';
import { untilReady } from '../../../testkit/product.ts';
import { Random } from '../../../testkit/random.ts';
import type { RunningProcess } from '../../../testkit/running-process.ts';
import { type UnpackedPackages, unpackDebianPackages } from '../../peers/debian-packages.ts';
import { RSYSLOG_PACKAGES } from '../../peers/rsyslog.ts';
import { SYSLOG_NG_PACKAGES } from '../../peers/syslog-ng.ts';
import { outputParts } from '../faults.ts';
import { inTime, type TimedPlan } from '../in-time.ts';
import { numberedLine } from '../numbered-line.ts';
import { Supervised } from '../supervised.ts';
import { startLoggen } from './loggen-sender.ts';
import { RELP_LOG } from './message-number.ts';
import { MessageWriter } from './message-writer.ts';
import { RelpWitness } from './relp-witness.ts';
import { startRsyslogSender } from './rsyslog-sender.ts';
import { auditSyslog } from './syslog-audit.ts';
import type { SyslogChaosReport } from './syslog-report.ts';

export interface SyslogChaosPlan extends TimedPlan {
  readonly seed: number;
  /** An empty directory; the caller removes it. */
  readonly directory: string;
  /** The collector drops repeated messages by their identity. */
  readonly hasIdentity?: boolean;
  /** Packages of rsyslog and syslog-ng, if they are already unpacked. */
  readonly peers?: Peers;
}

export interface Peers {
  readonly rsyslog: UnpackedPackages;
  readonly syslogNg: UnpackedPackages;
}

type Victim = 'rsyslog' | 'loggen' | 'collector' | 'aggregator' | 'connection';

const WRITE_EVERY_MS = 20;
const LOGGEN_MESSAGES = 2500;
const LOGGEN_EVERY_MS = 1100;
/** More than a window. */
const PROGRESS_MESSAGES = 300;
const PROGRESS_WITHIN_MS = 15_000;
const CLOSING_EVERY_MS = 500;
const DRAIN_WITHIN_MS = 90_000;
const QUIET_FAULT = { name: 'no fault' } as const;

export async function syslogPeers(): Promise<Peers> {
  return {
    rsyslog: await unpackDebianPackages(RSYSLOG_PACKAGES),
    syslogNg: await unpackDebianPackages(SYSLOG_NG_PACKAGES),
  };
}

/** Throws if it does not finish in time, with its last step. */
export async function runSyslogChaos(plan: SyslogChaosPlan): Promise<SyslogChaosReport> {
  const stage = await setStage(plan, plan.peers ?? (await syslogPeers()));
  try {
    return await inTime(plan, (say) => play({ ...plan, say }, stage, new Random(plan.seed)));
  } finally {
    await strike(stage);
  }
}

interface Stage {
  readonly pair: Pair;
  readonly peers: Peers;
  readonly writer: MessageWriter;
  readonly tcpPort: number;
  readonly witness: RelpWitness;
  readonly daemons: Readonly<Record<'rsyslog' | 'collector' | 'aggregator', Supervised>>;
  readonly events: Map<string, number>;
  readonly runs: { messages: number; isDisturbed: boolean }[];
  loggen: RunningProcess | undefined;
  rsyslogKills: number;
  isLoggenWanted: boolean;
}

async function setStage({ directory, hasIdentity }: SyslogChaosPlan, peers: Peers): Promise<Stage> {
  const [relpPort = 0, tcpPort = 0, inputPort = 0] = await freePorts(3);
  const witness = await RelpWitness.start(relpPort);
  const pair = await layOutPair({
    directory,
    collectorEnv: {
      COLLECTOR_SYSLOG_CONFIGURATION: JSON.stringify([
        { listen: `relp://127.0.0.1:${relpPort}`, ...(hasIdentity && { identity: IDENTITY }) },
        { listen: `tcp://127.0.0.1:${tcpPort}` },
      ]),
    },
    aggregatorEnv: { AGGREGATOR_MINIMUM_PUBLISH_FREQUENCY: '50ms' },
    emitters: {
      AGGREGATOR_FILE_CONFIGURATION: JSON.stringify({
        path: join(directory, 'output', 'output.log'),
        format: 'json',
      }),
    },
  });
  const sender = { packages: peers.rsyslog, directory, inputPort, port: witness.port };
  const supervised = (name: string, start: (hooks: Hooks) => RunningProcess) =>
    new Supervised({
      ...{ name, start, stderrPath: join(directory, `${name}.stderr`) },
      currentFault: () => QUIET_FAULT,
      onStarted: () => {},
    });
  return {
    ...{ pair, peers, tcpPort, witness, writer: new MessageWriter(inputPort) },
    daemons: {
      rsyslog: supervised('rsyslog', (hooks) => startRsyslogSender({ ...sender, ...hooks })),
      collector: supervised('collector', (hooks) => pair.startCollector(hooks)),
      aggregator: supervised('aggregator', (hooks) => pair.startAggregator(hooks)),
    },
    ...{ events: new Map(), runs: [], loggen: undefined, rsyslogKills: 0, isLoggenWanted: true },
  };
}

interface Hooks {
  readonly onStderr: (chunk: Buffer) => void;
}

const IDENTITY = 'sd:chaos@32473.id';

async function play(plan: SyslogChaosPlan, stage: Stage, random: Random): Promise<SyslogChaosReport> {
  const { daemons, pair, witness, writer, events, runs } = stage;
  const { aggregator, collector, rsyslog } = daemons;
  for (const daemon of [aggregator, collector, rsyslog]) daemon.start();
  if (collector.process !== undefined) await untilReady(collector.process, pair.collectorHttp);
  writer.start();
  const writing = random.fork();
  const timer = setInterval(
    () => writer.write(writing.chance(0.5) ? writing.between(1, 20) : 0),
    WRITE_EVERY_MS,
  );
  const generating = keepGenerating(stage);
  try {
    await playRounds(plan, stage, random);
  } finally {
    clearInterval(timer);
    stage.isLoggenWanted = false;
  }
  plan.say('The rounds are over; waiting for the remaining messages');
  await generating;
  const due = writer.written;
  const isDrained = await untilDrained(stage);
  plan.say('Stopping the processes and counting the output');
  await rsyslog.end();
  const exits = [await collector.askToStop(), await aggregator.askToStop()];
  return {
    ...{ seed: plan.seed, rounds: plan.rounds, hasIdentity: plan.hasIdentity === true },
    ...{
      events,
      written: due,
      witness,
      rsyslogKills: stage.rsyslogKills,
      loggenRuns: runs,
      isDrained,
      exits,
    },
    audit: await auditSyslog(outputParts(pair.outputPath)),
    ownEnds: [rsyslog, collector, aggregator].flatMap(({ ownEnds }) => ownEnds),
  };
}

/** One run of loggen after the other. The name of a run is the second of its start. */
async function keepGenerating(stage: Stage): Promise<void> {
  while (stage.isLoggenWanted) {
    const started = sleep(LOGGEN_EVERY_MS);
    const run = { messages: LOGGEN_MESSAGES, isDisturbed: !(await isListening(stage.tcpPort)) };
    stage.runs.push(run);
    stage.loggen = startLoggen(stage.peers.syslogNg, stage.tcpPort, run.messages);
    await stage.loggen.exited;
    await started;
  }
}

async function isListening(port: number): Promise<boolean> {
  const socket = connect(port, '127.0.0.1');
  const answer = await Promise.race([
    once(socket, 'connect').then(() => true),
    once(socket, 'close').then(() => false),
  ]).catch(() => false);
  socket.destroy();
  return answer;
}

async function playRounds({ rounds, say }: SyslogChaosPlan, stage: Stage, random: Random): Promise<void> {
  let deck: (readonly Victim[])[] = [];
  await sleep(random.between(500, 2000));
  for (let round = 1; round <= rounds; round++) {
    if (deck.length === 0) deck = random.shuffled(VICTIMS);
    const victims = deck.pop() ?? ['collector'];
    const event = `${victims.join(' and ')} killed`;
    say(`round ${round}: ${event}`);
    stage.events.set(event, (stage.events.get(event) ?? 0) + 1);
    await Promise.all(victims.map((victim) => kill(stage, victim)));
    await sleep(random.between(0, 800));
    for (const victim of victims) if (isDaemon(victim)) stage.daemons[victim].start();
    // Often killed again while it starts or reconnects, sometimes left running until it has made progress.
    if (random.chance(0.6)) await untilAnswered(stage.witness);
    await sleep(random.between(50, 1500));
  }
}

async function untilAnswered(witness: RelpWitness): Promise<void> {
  const before = witness.answered.size;
  const deadline = Date.now() + PROGRESS_WITHIN_MS;
  while (witness.answered.size < before + PROGRESS_MESSAGES && Date.now() < deadline) await sleep(50);
}

const VICTIMS: readonly (readonly Victim[])[] = [
  ['collector'],
  ['collector'],
  ['aggregator'],
  ['collector', 'aggregator'],
  ['rsyslog'],
  ['rsyslog', 'collector'],
  ['loggen'],
  ['connection'],
];

function isDaemon(victim: Victim): victim is 'rsyslog' | 'collector' | 'aggregator' {
  return victim !== 'loggen' && victim !== 'connection';
}

async function kill(stage: Stage, victim: Victim): Promise<void> {
  const run = stage.runs.at(-1);
  if (run !== undefined && (victim === 'loggen' || victim === 'collector')) run.isDisturbed = true;
  if (victim === 'rsyslog') stage.rsyslogKills++;
  if (victim === 'connection') stage.witness.cut();
  else if (victim === 'loggen') await stage.loggen?.kill();
  else await stage.daemons[victim].kill();
}

/** Writes messages until one of them is in the output. rsyslog sends in order, so earlier ones are then there. */
async function untilDrained(stage: Stage): Promise<boolean> {
  const { writer } = stage;
  const deadline = Date.now() + DRAIN_WITHIN_MS;
  const closing = writer.written + 1;
  while (Date.now() < deadline) {
    writer.write(1);
    await sleep(CLOSING_EVERY_MS);
    if (writer.written > closing + 2 && (await hasArrived(stage, closing))) return true;
  }
  return false;
}

async function hasArrived({ pair }: Stage, number: number): Promise<boolean> {
  const line = numberedLine(RELP_LOG, number).trimEnd();
  for (const path of outputParts(pair.outputPath)) if ((await readFile(path)).includes(line)) return true;
  return false;
}

async function strike({ daemons, witness, writer, loggen }: Stage): Promise<void> {
  writer.stop();
  await loggen?.kill();
  for (const daemon of Object.values(daemons)) await daemon.end();
  witness.stop();
}
