import { closeSync, existsSync, openSync, readSync, writeSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { layOutPair } from '../../testkit/pair.ts';
import { untilReady } from '../../testkit/product.ts';
import { quantile } from '../statistics.ts';

export interface Latency {
  readonly p50Ms: number;
  readonly p99Ms: number;
  readonly maxMs: number;
  readonly linesPerSecond: number;
}

const LINES_PER_SECOND = 5000;
const WARM_UP_MS = 3000;
const MEASURED_MS = 10_000;
const GRACE_MS = 10_000;
const PADDING = 'x'.repeat(170);

/** From the write of a line into the log to the moment it can be read from the output, at a steady rate. */
export async function measureLatency(directory: string): Promise<Latency> {
  const pair = await layOutPair({
    directory,
    aggregatorEnv: { AGGREGATOR_MINIMUM_PUBLISH_FREQUENCY: '10ms' },
  });
  const aggregator = pair.startAggregator();
  const collector = pair.startCollector();
  const log = openSync(join(pair.logDirectory, 'steady.log'), 'a');
  try {
    await untilReady(aggregator, pair.aggregatorHttp);
    await untilReady(collector, pair.collectorHttp);
    const latencies = await drive(log, pair.outputPath);
    return {
      p50Ms: quantile(latencies, 0.5),
      p99Ms: quantile(latencies, 0.99),
      maxMs: quantile(latencies, 1),
      linesPerSecond: LINES_PER_SECOND,
    };
  } finally {
    closeSync(log);
    await collector.kill();
    await aggregator.kill();
    await rm(directory, { recursive: true, force: true });
  }
}

/** Alternates writes and reads, about every millisecond. Each line contains the time of its write. */
async function drive(log: number, outputPath: string): Promise<number[]> {
  const latencies: number[] = [];
  const output = new OutputReader(outputPath);
  const began = performance.now();
  const writeUntil = began + WARM_UP_MS + MEASURED_MS;
  let written = 0;
  let seen = 0;
  while (performance.now() < writeUntil || seen < written) {
    const now = performance.now();
    if (now > writeUntil + GRACE_MS) throw new Error(`only ${seen} of ${written} lines came out`);
    const due = Math.floor(((Math.min(now, writeUntil) - began) * LINES_PER_SECOND) / 1000);
    if (due > written) writeSync(log, `${now} ${PADDING}\n`.repeat(due - written));
    written = Math.max(written, due);
    const lines = output.newLines();
    const seenAt = performance.now();
    for (const line of lines) {
      const writtenAt = Number.parseFloat(line);
      if (writtenAt > began + WARM_UP_MS) latencies.push(seenAt - writtenAt);
    }
    seen += lines.length;
    await sleep(1);
  }
  return latencies;
}

/** Follows a file that may not be there yet. */
class OutputReader {
  readonly #path: string;
  readonly #buffer = Buffer.allocUnsafe(1 << 20);
  #file: number | undefined;
  #rest = '';

  constructor(path: string) {
    this.#path = path;
  }

  newLines(): string[] {
    if (this.#file === undefined) {
      if (!existsSync(this.#path)) return [];
      this.#file = openSync(this.#path, 'r');
    }
    const bytes = readSync(this.#file, this.#buffer);
    const lines = (this.#rest + this.#buffer.toString('latin1', 0, bytes)).split('\n');
    this.#rest = lines.pop() ?? '';
    return lines;
  }
}
