/**
 * Shows the product in half a minute: `make demo`. An access log is written and rotated, a collector tails
 * it, and an aggregator emits it in batches to a file, to the terminal and into the embedded store. Then the
 * store is queried: a search, a metric, an alert. At the end the totals are compared: written = accepted =
 * emitted = in the store.
 *
 *     DEMO_SECONDS=15 (0: until Ctrl-C)
 *
 * The address of the web page is printed at the start. With DEMO_SECONDS=0, the page stays open with live data until
 * Ctrl-C; otherwise the last line says how to do that.
 *
 * Exits with 0 only if the totals match, the emitted file is byte for byte equal to the written log, the
 * search finds errors and the alert fires. Ctrl-C ends the writing early; a run that is too short for the
 * alert is judged by the totals alone. A second Ctrl-C exits immediately with 130.
 */

import { createHash } from 'node:crypto';
import { createReadStream, rmSync } from 'node:fs';
import { mkdtemp, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { errorMessage } from '../../src/runtime/error-message.ts';
import { layOutPair, type Pair } from '../../testkit/pair.ts';
import { readBalance, untilReady } from '../../testkit/product.ts';
import { freshSeed, Random } from '../../testkit/random.ts';
import type { RunningProcess } from '../../testkit/running-process.ts';
import { AccessWriter, type Written } from './access-writer.ts';
import { Narrator } from './narrator.ts';
import { StoreTour } from './store-tour.ts';

const DRAIN_TIMEOUT_MS = 30_000;
/** The alert fires above 10 requests a second over 2 minutes. */
const LINES_FOR_ALERT = 1_500;

async function demo(seconds: number): Promise<boolean> {
  const narrator = new Narrator();
  const directory = await mkdtemp(join(tmpdir(), 'mega-collector-demo-'));
  const running: RunningProcess[] = [];
  const interrupted = interruption(() => endAtOnce(running, directory));
  const pair = await layOutPair({
    directory,
    tail: join(directory, 'logs/access.log*'),
    format: 'combined',
    aggregatorEnv: {
      AGGREGATOR_TEXT_CONFIGURATION: 'true',
      AGGREGATOR_DUCKDB_CONFIGURATION: '1',
      AGGREGATOR_MINIMUM_PUBLISH_FREQUENCY: '1s',
    },
  });
  const store = new StoreTour(pair.aggregatorHttp, narrator);
  try {
    const aggregator = pair.startAggregator({ onStdout: (chunk) => narrator.emitted(chunk) });
    running.push(aggregator);
    await untilReady(aggregator, pair.aggregatorHttp);
    narrator.say(
      `The aggregator receives record batches at ${pair.aggregatorAddress} and emits to a file, to this terminal, and into its store`,
    );
    await store.createDefaults();
    const collector = pair.startCollector();
    running.push(collector);
    await untilReady(collector, pair.collectorHttp);
    narrator.say(`The collector tails ${join(pair.logDirectory, 'access.log*')}`);
    const page = `http://${pair.aggregatorHttp}/`;
    narrator.mark(`Open ${page} in a browser: search, live tail, metrics, alerts, status`);

    const written = await writeFor(seconds, pair, narrator, interrupted);
    if (written.lines === 0) {
      await stopInOrder(collector, aggregator, narrator);
      narrator.say('Interrupted before anything was written');
      return true;
    }
    await untilEmitted(written, pair.outputPath);
    narrator.flush();
    const stored = await store.untilHolding(written.lines);
    const isLongEnough = written.lines >= LINES_FOR_ALERT;
    if (!isLongEnough) narrator.say('The run was too short for the alert, whose window is two minutes');
    const isAnswered = (await store.show({ untilFiring: isLongEnough })) || !isLongEnough;
    if (!isAnswered) narrator.fail('The search found no errors, or the alert does not fire');
    await stopInOrder(collector, aggregator, narrator);
    const isBalanced = await showBalance(written, stored, pair, narrator);
    if (seconds > 0) {
      narrator.say(`The page was at ${page}. It stays open with live data with: make demo DEMO_SECONDS=0`);
    }
    return isBalanced && isAnswered;
  } catch (error) {
    narrator.fail(errorMessage(error));
    return false;
  } finally {
    for (const child of running) await child.kill();
    await rm(directory, { recursive: true, force: true });
  }
}

async function writeFor(
  seconds: number,
  pair: Pair,
  narrator: Narrator,
  interrupted: Promise<void>,
): Promise<Written> {
  const until = seconds === 0 ? 'until Ctrl-C' : `for ${seconds} s`;
  narrator.say(`An access log is written ${until}, and rotated every 4 s`);
  const writer = new AccessWriter(join(pair.logDirectory, 'access.log'), new Random(freshSeed()), (to) =>
    narrator.mark(`rotated    access.log -> ${basename(to)}`),
  );
  writer.start();
  await (seconds === 0 ? interrupted : Promise.race([sleep(seconds * 1000), interrupted]));
  const written = writer.stop();
  narrator.say('The writer has stopped; waiting for the remaining records');
  return written;
}

/** Waits until the output has the size of the written data; the balance reports a shorter one. */
async function untilEmitted(written: Written, outputPath: string): Promise<void> {
  const deadline = Date.now() + DRAIN_TIMEOUT_MS;
  while (Date.now() < deadline && (await sizeOf(outputPath)) < written.bytes) await sleep(50);
  await sleep(200);
}

async function stopInOrder(
  collector: RunningProcess,
  aggregator: RunningProcess,
  narrator: Narrator,
): Promise<void> {
  for (const child of [collector, aggregator]) {
    const { code, signal } = await child.stop();
    if (code !== 0)
      throw new Error(`The ${child.name} ended with ${signal ?? code}\n${child.stderr.slice(-3000)}`);
    narrator.say(`The ${child.name} has stopped`);
  }
  narrator.flush();
}

async function showBalance(
  written: Written,
  storedLines: number,
  pair: Pair,
  narrator: Narrator,
): Promise<boolean> {
  const { accepted, emitters } = await readBalance(pair.aggregatorState);
  const emitted = await describeOutput(pair.outputPath);
  const delivered = emitters.map(
    ({ emitter, delivered }) => [`delivered to ${emitter}`, delivered.records, delivered.bytes] as const,
  );
  narrator.table([
    ['written', written.lines, written.bytes],
    ['accepted', accepted.records, accepted.bytes],
    ...delivered,
    ['emitted to the file', emitted.lines, emitted.bytes],
    ['in the store', storedLines, undefined],
  ]);
  const equal = [...delivered, ['accepted', accepted.records, accepted.bytes] as const].every(
    ([, lines, bytes]) => lines === written.lines && bytes === written.bytes,
  );
  const identical = emitted.sha256 === written.sha256 && emitted.lines === written.lines;
  if (equal && identical && storedLines === written.lines && written.lines > 0) {
    narrator.succeed(
      'written = accepted = emitted = stored; the file contains every byte once, in the order of the log',
    );
    return true;
  }
  narrator.fail(identical ? 'The totals do not match' : 'The emitted file differs from the written log');
  return false;
}

async function describeOutput(path: string): Promise<Written> {
  const hash = createHash('sha256');
  let lines = 0;
  let bytes = 0;
  for await (const chunk of createReadStream(path) as AsyncIterable<Buffer>) {
    hash.update(chunk);
    bytes += chunk.length;
    for (let at = chunk.indexOf(10); at >= 0; at = chunk.indexOf(10, at + 1)) lines += 1;
  }
  return { lines, bytes, sha256: hash.digest('hex') };
}

async function sizeOf(path: string): Promise<number> {
  return await stat(path).then(
    ({ size }) => size,
    () => 0,
  );
}

/** Resolves at Ctrl-C or SIGTERM; a second one calls `onSecond`. */
function interruption(onSecond: () => void): Promise<void> {
  return new Promise((resolve) => {
    let isFirst = true;
    const onSignal = () => {
      if (!isFirst) onSecond();
      isFirst = false;
      resolve();
    };
    for (const signal of ['SIGINT', 'SIGTERM'] as const) process.on(signal, onSignal);
  });
}

function endAtOnce(running: readonly RunningProcess[], directory: string): void {
  for (const child of running) child.signal('SIGKILL');
  rmSync(directory, { recursive: true, force: true });
  process.exit(130);
}

const { DEMO_SECONDS = '15' } = process.env;
const seconds = Number(DEMO_SECONDS);
if (!Number.isFinite(seconds) || seconds < 0) {
  process.stderr.write(`DEMO_SECONDS: ${DEMO_SECONDS} is not a number of seconds\n`);
  process.exit(2);
}
process.exit((await demo(seconds)) ? 0 : 1);
