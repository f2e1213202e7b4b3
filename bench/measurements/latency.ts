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
  /** What another file grows by at the same time. */
  readonly besideMegabytesPerSecond: number;
}

const LINES_PER_SECOND = 5000;
const WARM_UP_MS = 3000;
const MEASURED_MS = 10_000;
const GRACE_MS = 10_000;
const PADDING = 'x'.repeat(170);
/** The first byte of the lines that are measured. No line of the other file contains it. */
const MARK = '@';

/**
 * From the write of a line into the log to the moment it can be read from the output, at a steady rate. With
 * `besideMegabytesPerSecond`, a second file grows at the same time.
 */
export async function measureLatency(directory: string, besideMegabytesPerSecond = 0): Promise<Latency> {
  const pair = await layOutPair({
    directory,
    aggregatorEnv: { AGGREGATOR_MINIMUM_PUBLISH_FREQUENCY: '10ms' },
  });
  const aggregator = pair.startAggregator();
  const collector = pair.startCollector();
  const log = openSync(join(pair.logDirectory, 'steady.log'), 'a');
  const beside = openSync(join(pair.logDirectory, 'beside.log'), 'a');
  try {
    await untilReady(aggregator, pair.aggregatorHttp);
    await untilReady(collector, pair.collectorHttp);
    const latencies = await drive({ log, beside, besideMegabytesPerSecond, outputPath: pair.outputPath });
    return {
      p50Ms: quantile(latencies, 0.5),
      p99Ms: quantile(latencies, 0.99),
      maxMs: quantile(latencies, 1),
      linesPerSecond: LINES_PER_SECOND,
      besideMegabytesPerSecond,
    };
  } finally {
    closeSync(log);
    closeSync(beside);
    await collector.kill();
    await aggregator.kill();
    await rm(directory, { recursive: true, force: true });
  }
}

interface Drive {
  /** Descriptors of the two files. */
  readonly log: number;
  readonly beside: number;
  readonly besideMegabytesPerSecond: number;
  readonly outputPath: string;
}

/** Alternates writes and reads, about every millisecond. Each line contains the time of its write. */
async function drive({ log, beside, besideMegabytesPerSecond, outputPath }: Drive): Promise<number[]> {
  const latencies: number[] = [];
  const output = new OutputReader(outputPath);
  const bulk = new BulkWriter(beside, besideMegabytesPerSecond);
  const began = performance.now();
  const writeUntil = began + WARM_UP_MS + MEASURED_MS;
  let written = 0;
  let seen = 0;
  while (performance.now() < writeUntil || seen < written) {
    const now = performance.now();
    if (now > writeUntil + GRACE_MS) throw new Error(`only ${seen} of ${written} lines came out`);
    const due = Math.floor(((Math.min(now, writeUntil) - began) * LINES_PER_SECOND) / 1000);
    if (due > written) writeSync(log, `${MARK}${now} ${PADDING}\n`.repeat(due - written));
    written = Math.max(written, due);
    if (now < writeUntil) bulk.writeUpTo(now - began);
    const times = output.newTimes();
    const seenAt = performance.now();
    for (const writtenAt of times) {
      if (writtenAt > began + WARM_UP_MS) latencies.push(seenAt - writtenAt);
    }
    seen += times.length;
    await sleep(1);
  }
  return latencies;
}

/** Appends to a file at a steady rate. */
class BulkWriter {
  readonly #file: number;
  readonly #bytesPerMs: number;
  readonly #chunk = Buffer.from(`${'b'.repeat(199)}\n`.repeat(500));
  #written = 0;

  constructor(file: number, megabytesPerSecond: number) {
    this.#file = file;
    this.#bytesPerMs = megabytesPerSecond * 1000;
  }

  writeUpTo(elapsedMs: number): void {
    while (this.#written + this.#chunk.length <= elapsedMs * this.#bytesPerMs) {
      this.#written += writeSync(this.#file, this.#chunk);
    }
  }
}

/** Follows a file that may not be there yet, and finds the marked lines. */
class OutputReader {
  readonly #path: string;
  readonly #buffer = Buffer.allocUnsafe(4 << 20);
  #file: number | undefined;
  /** Bytes of an incomplete line, at the start of the buffer. */
  #kept = 0;

  constructor(path: string) {
    this.#path = path;
  }

  /** The times in all marked lines that are new. */
  newTimes(): number[] {
    if (this.#file === undefined) {
      if (!existsSync(this.#path)) return [];
      this.#file = openSync(this.#path, 'r');
    }
    const times: number[] = [];
    for (;;) {
      const bytes = readSync(this.#file, this.#buffer, this.#kept, this.#buffer.length - this.#kept, null);
      if (bytes === 0) return times;
      this.#collect(this.#kept + bytes, times);
    }
  }

  #collect(length: number, times: number[]): void {
    const bytes = this.#buffer.subarray(0, length);
    const end = bytes.lastIndexOf(0x0a) + 1;
    for (let at = bytes.indexOf(MARK); at >= 0 && at < end; at = bytes.indexOf(MARK, at + 1)) {
      times.push(Number.parseFloat(bytes.toString('latin1', at + 1, at + 24)));
    }
    this.#buffer.copyWithin(0, end, length);
    this.#kept = length - end;
  }
}
