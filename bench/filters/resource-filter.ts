import { join } from 'node:path';
import { Writable } from 'node:stream';
import pino from 'pino';
import { Registry } from 'prom-client';
import { createInnerEmitter } from '../../src/emitters/create-emitter.ts';
import type { Emitter } from '../../src/emitters/emitter.ts';
import { fileType } from '../../src/emitters/file/type.ts';
import type { FilterSource } from '../../src/emitters/filtering/filter-source.ts';
import { type Batch, batchOf } from '../../src/records/batch.ts';
import { mintStreamId } from '../../src/records/stream-id.ts';
import { systemClock } from '../../src/runtime/clock.ts';
import { median } from '../statistics.ts';

/** Filters that decide by the resource, and keep the records. */
const FILTERS = {
  'drop if resource.service.name == "x"': 'drop if resource.service.name == "x"',
  'if resource.service.name == "x" { grok(...) }':
    'if resource.service.name == "x" { if grok("NGINX_ACCESS") { tags += "nginx" } }',
} as const;

const ROUNDS = 200;
const WARM_UP = 40;
const SLICES = 20;
const RECORDS = 500;
const BATCHES = 2;

export interface ResourceRatio {
  readonly title: string;
  /** Of the records per second with the filter, to those without one. */
  readonly ratio: number;
}

/**
 * The emitter `file` with and without a filter, in turn: by the CPU time of the process. Its records stay bytes, and
 * nothing is flushed to the disk, so this is the least work that a filter is compared with.
 */
export async function measureResourceFilters(directory: string): Promise<readonly ResourceRatio[]> {
  const batch = accessBatch();
  const ratios: ResourceRatio[] = [];
  for (const [title, text] of Object.entries(FILTERS)) {
    const name = `resource${ratios.length}`;
    const file = join(directory, `${name}.filter`);
    const emitters = [
      await startedEmitter(directory, `${name}-without`, undefined),
      await startedEmitter(directory, `${name}-with`, { name, file, text }),
    ] as const;
    const [without, filtered] = await interleaved(emitters, batch);
    ratios.push({ title, ratio: median(without) / median(filtered) });
    for (const emitter of emitters) await emitter.stop(AbortSignal.timeout(1000));
  }
  return ratios;
}

async function interleaved(
  [first, second]: readonly [Emitter, Emitter],
  batch: Batch,
): Promise<readonly [readonly number[], readonly number[]]> {
  const times: [number[], number[]] = [[], []];
  for (let round = -WARM_UP; round < ROUNDS; round++) {
    // Each is the first one in every other round.
    const isSwapped = round % 2 === 0;
    const [one, other] = isSwapped ? [second, first] : [first, second];
    const measured = [await cpuOf(one, batch), await cpuOf(other, batch)] as const;
    const pair = isSwapped ? ([measured[1], measured[0]] as const) : measured;
    if (round >= 0) for (const each of [0, 1] as const) times[each].push(pair[each]);
  }
  return times;
}

async function cpuOf(emitter: Emitter, batch: Batch): Promise<number> {
  const { signal } = new AbortController();
  const before = process.cpuUsage();
  for (let at = 0; at < BATCHES; at++) await emitter.emit(batch, signal);
  await emitter.flush(signal);
  await emitter.committed?.();
  const { user, system } = process.cpuUsage(before);
  return user + system;
}

async function startedEmitter(
  directory: string,
  name: string,
  filter: FilterSource | undefined,
): Promise<Emitter> {
  const path = join(directory, `${name}.log`);
  const environment = {
    ...{ name, filter, state: undefined, stateDirectory: directory, clock: systemClock },
    logger: pino({ level: 'silent' }),
    metrics: new Registry(),
    stdout: new Writable({ write: (_chunk, _encoding, done) => done() }),
  };
  const configuration = { path, format: 'body', fsync: false, mode: 0o600, max_open_files: 1 } as const;
  const emitter = await createInnerEmitter({ type: fileType, configuration, environment });
  await emitter.start();
  return emitter;
}

function accessBatch(): Batch {
  const line =
    '81.2.69.142 - ann [31/Jan/2026:10:00:00 +0000] "GET /a/17 HTTP/1.1" 200 612 "https://example.com/" "curl/8.5"\n';
  const data = Buffer.from(line.repeat(RECORDS));
  const stream = mintStreamId();
  const slices = Array.from({ length: SLICES }, (_, at) => ({
    stream,
    start: at * data.length,
    resource: new Map([['service.name', 'web']]),
    format: 'combined',
    observedTimeUnixNano: 1_700_000_000_000_000_000n,
    sizes: new Uint32Array(RECORDS).fill(line.length),
    marks: [],
    data,
  }));
  return batchOf(slices);
}
