import { join } from 'node:path';
import { Registry } from 'prom-client';
import { expect, onTestFinished, test } from 'vitest';
import type { Amount } from '../../src/records/amount.ts';
import { minus, NOTHING, plus } from '../../src/records/amount.ts';
import { checkOf } from '../../src/records/check.ts';
import type { Range } from '../../src/records/position.ts';
import { addRange, lastEnd, outside, type Ranges, totalBytes } from '../../src/records/ranges.ts';
import { endOf, type RecordBatch, sliceRecords } from '../../src/records/record-batch.ts';
import { emptyChecksum, extendChecksum } from '../../src/records/running-checksum.ts';
import type { StreamId } from '../../src/records/stream-id.ts';
import { encodeRecordBatch } from '../../src/records/wire.ts';
import { openQueue, type Queue } from '../../src/storage/queue/queue.ts';
import type { IncomingBatch, QueueCursor, QueueEntry } from '../../src/storage/queue/queue-contract.ts';
import { capturedLogger } from '../support/captured-logger.ts';
import { FakeClock } from '../support/fake-clock.ts';
import { recordBatch } from '../support/record-batches.ts';
import { temporaryDirectory } from '../support/temporary-directory.ts';
import { type CommitFault, FaultyStore } from './faulty-store.ts';
import { Random } from './random.ts';
import { type DiskOperation, type Fault, SimulatedDisk } from './simulated-disk.ts';

/*
 * The durable log against a model, with everything going wrong that may: torn and short writes, failed fdatasync,
 * failed commits, a full disk, the process killed at any step, the power lost with only what was flushed kept.
 *
 * Every byte of a stream is a function of its position, so any piece that comes out can be judged by itself. After each
 * life of the process:
 *   - accepted is there, once, and nothing is there that was not sent;
 *   - the entries of the queue and the ranges of the ledger are the same bytes: never the ones without the others;
 *   - what was once seen in the queue is still the same entry;
 *   - what the committed cursor has passed, and what waits behind it, are all that was accepted, in order, once;
 *   - the balance adds up, and the ledger's rows add up to its total.
 *
 * SEED=n makes the same choices again (LMDB's commits are real, so their timing may differ); ROUNDS=n makes more runs.
 */
const SEED = process.env.SEED === undefined ? undefined : Number(process.env.SEED);
const ROUNDS = SEED === undefined ? Number(process.env.ROUNDS ?? 10) : 1;
const LIVES = 6;
const STEPS = 14;
const STREAMS = ['00', '11', '22'].map((digits) => digits.repeat(16) as StreamId);
const STREAM_BYTES = 6000;

const firstSeed = SEED ?? Math.floor(Math.random() * 2 ** 31);

for (let round = 0; round < ROUNDS; round++) {
  const seed = firstSeed + round;
  test(`keeps its invariants with random operations and crashes (SEED=${seed})`, {
    timeout: 20_000,
  }, async () => {
    const world = new World(seed, await temporaryDirectory());
    onTestFinished(() => world.end());
    for (let life = 0; life < LIVES; life++) await world.live();
    await world.liveWell();
  });
}

/** A byte for every position of a stream; line ends make records. */
function byteAt(stream: StreamId, position: number): number {
  const mixed = Math.imul(position + 1, 2_654_435_761) ^ Number.parseInt(stream.slice(0, 2), 16);
  return mixed % 11 === 0 ? 10 : 97 + (Math.abs(mixed >>> 8) % 26);
}

function batchOf(stream: StreamId, start: number, end: number): RecordBatch {
  const records: Buffer[] = [];
  let record: number[] = [];
  for (let position = start; position < end; position++) {
    const byte = byteAt(stream, position);
    record.push(byte);
    if (byte === 10 || position === end - 1) {
      records.push(Buffer.from(record));
      record = [];
    }
  }
  return recordBatch(records, { stream, start });
}

function bytesBefore(stream: StreamId, position: number): Uint8Array {
  return Uint8Array.from({ length: position }, (_, at) => byteAt(stream, at));
}

function otherBytes(batch: RecordBatch): RecordBatch {
  return { ...batch, data: batch.data.map((byte) => byte ^ 1) };
}

function checked(batch: RecordBatch, before: Uint8Array, openedEnd = Number.MAX_SAFE_INTEGER): IncomingBatch {
  const start = extendChecksum(emptyChecksum(0), before);
  return {
    batch,
    encoded: encodeRecordBatch(batch),
    endCheck: checkOf(batch.data),
    checksums: { start, end: extendChecksum(start, batch.data) },
    writer: {
      owner: { collectorId: 'model', tlsSubject: undefined },
      instance: 1n,
      openedEnd,
    },
  };
}

interface Fates {
  readonly delivered: Amount;
  readonly deadLettered: Amount;
  readonly discarded: Amount;
  readonly filtered: Amount;
}

interface Seen {
  readonly stream: StreamId;
  readonly start: number;
  readonly end: number;
}

class World {
  readonly #random: Random;
  readonly #directory: string;
  readonly #disk = new SimulatedDisk();
  readonly #accepted = new Map<StreamId, Ranges>();
  readonly #sent = new Map<StreamId, Ranges>();
  /** Every entry ever seen, by number. */
  readonly #seen = new Map<number, Seen>();
  /** Sent and unanswered when the process died: the next one sends it again. */
  #unanswered: IncomingBatch[] = [];
  /**
   * The follower's own account of the records that it passed.
   *
   */
  #fates: Fates = { delivered: NOTHING, deadLettered: NOTHING, discarded: NOTHING, filtered: NOTHING };
  /** A commit on its way: whether it was made is seen in the next life. */
  #undecided: { readonly isMade: (process: Process) => boolean; readonly fates: Fates } | undefined;
  readonly #hasArchivist: boolean;
  /** The queue is small and drops the oldest entries. */
  readonly #drops: boolean;
  #process: Process | undefined;

  constructor(seed: number, directory: string) {
    this.#random = new Random(seed);
    this.#directory = directory;
    this.#hasArchivist = this.#random.chance(0.5);
    this.#drops = this.#random.chance(0.25);
  }

  /** A life with faults, ended by a kill, a power loss or a close. */
  async live(): Promise<void> {
    const process = await this.#start();
    process.mayBeKilled = true;
    this.#makeTrouble(process);
    for (let step = 0; step < STEPS && process.isAlive; step++) await this.#step(process);
    this.#disk.faultOf = () => undefined;
    process.store.faultOf = () => undefined;
    // A write in the background may still be on its way to kill.
    if (process.isAlive && this.#random.chance(0.3)) {
      await Promise.race([this.#check(process).then(() => process.queue.close()), process.killed]);
      if (process.isAlive) return;
    }
    process.kill();
    await process.store.bury();
    if (this.#random.chance(0.5)) this.#disk.losePower(() => this.#random.chance(0.5));
    this.#process = undefined;
  }

  /** A life without faults, to the end: everything is delivered. */
  async liveWell(): Promise<void> {
    const process = await this.#start();
    for (let step = 0; step < STEPS; step++) await this.#step(process);
    await this.#check(process);
    await this.#follow(process, Number.POSITIVE_INFINITY);
    await this.#check(process);
    const [balance] = process.queue.balance().emitters.filter(({ emitter }) => emitter === 'follower');
    expect(balance?.queued).toEqual({ records: 0, bytes: 0 });
    await process.queue.close();
    this.#process = undefined;
  }

  async end(): Promise<void> {
    this.#process?.kill();
    await this.#process?.store.bury().catch(() => undefined);
  }

  async #start(): Promise<Process> {
    const store = await FaultyStore.open(join(this.#directory, 'state'));
    const { fileSystem, unplug } = this.#disk.mount();
    const clock = new FakeClock();
    const queue = await openQueue({
      directory: this.#directory,
      clock,
      logger: capturedLogger().logger,
      metrics: new Registry(),
      maxBytes: this.#drops ? 30_000 : 2 ** 30,
      whenFull: this.#drops ? 'drop-oldest' : 'stop',
      deadLetterMaxBytes: 2 ** 30,
      segmentBytes: 1500,
      overlapFromBytes: 0,
      fileSystem,
      freeSpace: { reserveBytes: 0, reserveFraction: 0 },
      openStore: () => Promise.resolve(store),
    });
    // The archivist never moves, so nothing is trimmed in half of the worlds; the follower does.
    if (this.#hasArchivist) await queue.openCursor('archivist', 'oldest');
    const process = new Process({
      queue,
      store,
      clock,
      unplug,
      cursor: await queue.openCursor('follower', 'oldest'),
    });
    this.#process = process;
    if (this.#undecided?.isMade(process)) this.#fates = this.#undecided.fates;
    this.#undecided = undefined;
    await this.#check(process);
    return process;
  }

  #makeTrouble(process: Process): void {
    const level = this.#random.pick([0, 0.03, 0.15]);
    const kills = this.#random.pick([0, 0.05]);
    this.#disk.faultOf = (operation) => (this.#random.chance(level) ? this.#fault(operation) : undefined);
    process.store.faultOf = (): CommitFault | undefined => {
      if (this.#random.chance(kills)) return this.#random.pick(['kill-before', 'kill-after']);
      return this.#random.chance(level) ? 'fail' : undefined;
    };
  }

  #fault(operation: DiskOperation): Fault | undefined {
    if (operation === 'read') return undefined;
    if (operation !== 'writev') return { code: 'EIO' };
    if (this.#random.chance(0.5)) return { short: this.#random.integer(1, 60) };
    return { code: this.#random.pick(['ENOSPC', 'EIO']), partly: this.#random.integer(0, 80) };
  }

  async #step(process: Process): Promise<void> {
    const again = this.#unanswered.splice(0);
    const fresh = Array.from({ length: this.#random.integer(1, 4) }, () => this.#nextBatch());
    const appends = [...again, ...fresh].map((incoming) => this.#append(process, incoming));
    if (this.#random.chance(0.3)) appends.push(this.#appendOfClone(process));
    // Sent again while it is being committed.
    if (this.#random.chance(0.3)) appends.push(this.#append(process, fresh[0] ?? this.#nextBatch()));
    if (process.mayBeKilled && this.#random.chance(0.15)) {
      await ticks(this.#random.integer(0, 30));
      process.kill();
    }
    await Promise.race([passTime(process, Promise.all(appends)), process.killed]);
    if (!process.isAlive) return;
    if (this.#random.chance(0.7)) {
      await Promise.race([this.#follow(process, this.#random.integer(1, 4)), process.killed]);
    }
    if (!process.isAlive || this.#random.chance(0.8)) return;
    await Promise.race([this.#check(process), process.killed]);
  }

  #nextBatch(): IncomingBatch {
    const stream = this.#random.pick(STREAMS);
    const sent = this.#sent.get(stream) ?? [];
    const end = sent.at(-1)?.end ?? 0;
    // Mostly the next bytes; sometimes a gap, an overlap, a repetition, or anything.
    const start = this.#random.pick([
      end,
      end,
      end,
      end + 50,
      Math.max(0, end - 40),
      this.#random.integer(0, end),
    ]);
    const batch = batchOf(stream, start, Math.min(STREAM_BYTES * 100, start + this.#random.integer(1, 300)));
    return checked(batch, bytesBefore(stream, start));
  }

  /**
   * A collector with a copy of the state, and other bytes from the first one on. None of its bytes may be
   * stored.
   */
  async #appendOfClone({ queue }: Process): Promise<void> {
    const stream = this.#random.pick(STREAMS);
    const end = lastEnd(queue.ledger.ranges(stream));
    if (end === 0) return;
    const start = this.#random.pick([end, this.#random.integer(1, end)]);
    const batch = otherBytes(batchOf(stream, start, start + this.#random.integer(1, 300)));
    const before = bytesBefore(stream, start).map((byte) => byte ^ 1);
    const error: Error | undefined = await queue.append(checked(batch, before, 0)).then(
      () => undefined,
      (reason: Error) => reason,
    );
    expect(error?.name).toMatch(/^(OtherBytesError|QueueError)$/);
  }

  async #append(process: Process, incoming: IncomingBatch): Promise<void> {
    const { batch } = incoming;
    const range = { start: batch.start, end: endOf(batch) };
    this.#sent.set(batch.stream, addRange(this.#sent.get(batch.stream) ?? [], range));
    this.#unanswered.push(incoming);
    try {
      await process.queue.append(incoming);
      this.#accepted.set(batch.stream, addRange(this.#accepted.get(batch.stream) ?? [], range));
    } catch (error) {
      expect((error as Error).name).toBe('QueueError');
    }
    // A rejected batch is sent again only by chance.
    this.#unanswered = this.#unanswered.filter((other) => other !== incoming);
  }

  /** Takes a few pieces, as an emitter does, and commits. */
  async #follow(process: Process, pieces: number): Promise<void> {
    for (let piece = 0; piece < pieces && process.isAlive; piece++) {
      const { cursor } = process;
      const { entry, record } = cursor.committed;
      const found = await cursor.read(entry);
      if (found === undefined) return;
      this.#note(found);
      const from = found.number === entry ? record : 0;
      const to = this.#random.integer(from + 1, found.batch.sizes.length);
      const slice = sliceRecords(found.batch, from, to);
      const amount = { records: slice.sizes.length, bytes: slice.data.length };
      const fate = this.#random.pick([
        'delivered',
        'delivered',
        'deadLettered',
        'discarded',
        'filtered',
      ] as const);
      const wholeEntry = to === found.batch.sizes.length;
      const point = wholeEntry ? { entry: found.number + 1, record: 0 } : { entry: found.number, record: to };
      await this.#decide({
        isMade: (next) =>
          next.cursor.committed.entry === point.entry && next.cursor.committed.record === point.record,
        fates: { ...this.#fates, [fate]: plus(this.#fates[fate], amount) },
        act: () =>
          cursor.commit({
            point: { entry: found.number, record: to },
            state: { taken: found.number },
            ...(fate === 'deadLettered' ? { deadLetters: [{ records: slice, reason: 'no' }] } : {}),
            ...(fate === 'discarded' ? { discarded: amount } : {}),
            ...(fate === 'filtered' ? { filtered: amount } : {}),
          }),
      });
    }
    await this.#settleDeadLetters(process);
  }

  async #settleDeadLetters({ queue, cursor }: Process): Promise<void> {
    for (const { id, stream, position, records, bytes } of queue.deadLetters.list('follower')) {
      const letter = await queue.deadLetters.read(id);
      expect(letter?.data).toEqual(batchOf(stream, position, position + bytes).data);
      const settle = this.#random.pick(['delivered', 'discarded', 'nothing'] as const);
      if (settle === 'nothing') continue;
      await this.#decide({
        isMade: (next) => next.queue.deadLetters.list('follower').every((other) => other.id !== id),
        fates: {
          ...this.#fates,
          deadLettered: minus(this.#fates.deadLettered, { records, bytes }),
          [settle]: plus(this.#fates[settle], { records, bytes }),
        },
        act: async () => {
          if (settle === 'delivered') await cursor.commit({ point: cursor.committed, replayed: [id] });
          else expect(await queue.deadLetters.discard([id])).toBe(1);
        },
      });
    }
  }

  async #decide(step: { isMade: (process: Process) => boolean; fates: Fates; act: () => Promise<void> }) {
    this.#undecided = step;
    try {
      await step.act();
      this.#fates = step.fates;
    } catch (error) {
      expect((error as Error).name).toBe('QueueError');
    }
    this.#undecided = undefined;
  }

  async #check({ queue, cursor }: Process): Promise<void> {
    const archivist = queue.knownEmitters().find(({ name }) => name === 'archivist');
    const inQueue = await this.#readAll(
      queue,
      archivist === undefined ? cursor : await queue.openCursor('archivist', 'oldest'),
    );
    for (const stream of STREAMS) {
      const ranges: Ranges = queue.ledger.ranges(stream);
      const accepted = this.#accepted.get(stream) ?? [];
      const sent = this.#sent.get(stream) ?? [];
      expect(missing(accepted, ranges), 'accepted bytes are in the ledger').toEqual([]);
      expect(missing(ranges, sent), 'the ledger has only what was sent').toEqual([]);
      // What was dropped may never have been seen.
      if (this.#drops) continue;
      const known = [...this.#seen.values()].filter((seen) => seen.stream === stream);
      let union: Ranges = [];
      for (const { start, end } of known) union = addRange(union, { start, end });
      expect(union, 'entries and ranges are the same bytes').toEqual(ranges);
      const bytes = known.reduce((sum, { start, end }) => sum + end - start, 0);
      expect(bytes, 'no byte lies in two entries').toBe(totalBytes(ranges));
    }
    this.#checkBalance(queue, inQueue);
  }

  /** Reads from a cursor to the end; every entry is what it was when it was seen first. */
  async #readAll(queue: Queue, cursor: QueueCursor): Promise<number> {
    let bytes = 0;
    for (let number = cursor.committed.entry; ; number++) {
      const found = await cursor.read(number);
      if (found === undefined) break;
      expect(found.number).toBe(number);
      this.#note(found);
      bytes += found.batch.data.length;
    }
    if (this.#drops) return bytes;
    expect(queue.balance().accepted.bytes).toBe(
      [...this.#seen.values()].reduce((sum, { start, end }) => sum + end - start, 0),
    );
    return bytes;
  }

  #note({ number, batch }: QueueEntry): void {
    const { stream, start, data } = batch;
    expect(Buffer.compare(data, batchOf(stream, start, endOf(batch)).data), 'the bytes are right').toBe(0);
    const seen: Seen = { stream, start, end: endOf(batch) };
    expect(this.#seen.get(number) ?? seen, 'an entry stays what it was').toEqual(seen);
    this.#seen.set(number, seen);
  }

  #checkBalance(queue: Queue, readBytes: number): void {
    const { accepted, emitters } = queue.balance();
    for (const { before, queued, deadLettered, discarded, filtered, delivered } of emitters) {
      for (const unit of ['records', 'bytes'] as const) {
        const parts = [before, queued, deadLettered, discarded, filtered, delivered].map(
          (amount) => amount[unit],
        );
        expect(Math.min(...parts)).toBeGreaterThanOrEqual(0);
        expect(parts.reduce((a, b) => a + b)).toBe(accepted[unit]);
      }
    }
    const follower = emitters.find(({ emitter }) => emitter === 'follower');
    const { delivered, deadLettered } = this.#fates;
    expect(follower).toMatchObject(this.#drops ? { delivered, deadLettered } : this.#fates);
    const archivist = emitters.find(({ emitter }) => emitter === 'archivist');
    if (archivist !== undefined) expect(archivist.queued.bytes).toBe(readBytes);
  }
}

interface ProcessParts {
  readonly queue: Queue;
  readonly store: FaultyStore;
  readonly clock: FakeClock;
  readonly cursor: QueueCursor;
  readonly unplug: () => void;
}

class Process {
  readonly queue: Queue;
  readonly store: FaultyStore;
  readonly clock: FakeClock;
  readonly cursor: QueueCursor;
  readonly killed: Promise<void>;
  readonly #unplug: () => void;
  isAlive = true;
  mayBeKilled = false;

  constructor({ queue, store, clock, cursor, unplug }: ProcessParts) {
    this.queue = queue;
    this.store = store;
    this.clock = clock;
    this.cursor = cursor;
    this.#unplug = unplug;
    this.killed = new Promise((resolve) => {
      store.onKilled = () => {
        this.isAlive = false;
        unplug();
        resolve();
      };
    });
  }

  kill(): void {
    if (this.isAlive) this.store.kill();
    this.#unplug();
  }
}

/** What of `ranges` lies outside `others`. */
function missing(ranges: Ranges, others: Ranges): Range[] {
  return ranges.flatMap((range) => outside(range, others));
}

/** What is tried again after a second is tried again. */
async function passTime(process: Process, work: Promise<unknown>): Promise<void> {
  let working = true;
  const done = () => {
    working = false;
  };
  work.then(done, done);
  while (working && process.isAlive) {
    await new Promise((resolve) => setTimeout(resolve, 2));
    await process.clock.advance(1000);
  }
  await work;
}

async function ticks(count: number): Promise<void> {
  for (let i = 0; i < count; i++) await new Promise((resolve) => setImmediate(resolve));
}
