import { join } from 'node:path';
import { Registry } from 'prom-client';
import { expect, onTestFinished, test } from 'vitest';
import { checkOf } from '../../src/records/check.ts';
import type { Range } from '../../src/records/position.ts';
import { addRange, outside, type Ranges, totalBytes } from '../../src/records/ranges.ts';
import { endOf, type RecordBatch, sliceRecords } from '../../src/records/record-batch.ts';
import type { StreamId } from '../../src/records/stream-id.ts';
import { encodeRecordBatch } from '../../src/records/wire.ts';
import { openQueue, type Queue } from '../../src/storage/queue.ts';
import type { IncomingBatch, QueueCursor } from '../../src/storage/queue-contract.ts';
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
 * SEED=n repeats one run, ROUNDS=n makes more of them.
 */
const SEED = process.env.SEED === undefined ? undefined : Number(process.env.SEED);
const ROUNDS = SEED === undefined ? Number(process.env.ROUNDS ?? 25) : 1;
const LIVES = 6;
const STEPS = 14;
const STREAMS = ['00', '11', '22'].map((digits) => digits.repeat(16) as StreamId);
const STREAM_BYTES = 6000;

const firstSeed = SEED ?? Math.floor(Math.random() * 2 ** 31);

for (let round = 0; round < ROUNDS; round++) {
  const seed = firstSeed + round;
  test(`survives a random life (SEED=${seed})`, { timeout: 60_000 }, async () => {
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
  /** Sent and not answered when the process died: sent again by the next. */
  #unanswered: IncomingBatch[] = [];
  /** What the follower has taken and committed, as records and bytes, besides what it gave up or put aside. */
  #process: Process | undefined;

  constructor(seed: number, directory: string) {
    this.#random = new Random(seed);
    this.#directory = directory;
  }

  /** A life with faults, ended by a kill, a power loss or a close. */
  async live(): Promise<void> {
    const process = await this.#start();
    this.#makeTrouble(process);
    for (let step = 0; step < STEPS && process.isAlive; step++) await this.#step(process);
    this.#disk.faultOf = () => undefined;
    process.store.faultOf = () => undefined;
    if (process.isAlive && this.#random.chance(0.3)) {
      await this.#check(process);
      await process.queue.close();
      return;
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
    const queue = await openQueue({
      directory: this.#directory,
      clock: new FakeClock(),
      logger: capturedLogger().logger,
      metrics: new Registry(),
      maxBytes: 2 ** 30,
      whenFull: 'stop',
      deadLetterMaxBytes: 2 ** 30,
      segmentBytes: 1500,
      fileSystem,
      freeSpace: { reserveBytes: 0, reserveFraction: 0 },
      openStore: () => Promise.resolve(store),
    });
    // The archivist never moves, so nothing is trimmed in half of the worlds; the follower does.
    if (this.#directory.charCodeAt(this.#directory.length - 1) % 2 === 0) {
      await queue.openCursor('archivist', 'oldest');
    }
    const process = new Process(queue, store, unplug, await queue.openCursor('follower', 'oldest'));
    this.#process = process;
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
    // Sent again while it is being committed.
    if (this.#random.chance(0.3)) appends.push(this.#append(process, fresh[0] ?? this.#nextBatch()));
    if (this.#random.chance(0.15)) {
      await ticks(this.#random.integer(0, 30));
      process.kill();
    }
    await Promise.race([Promise.all(appends), process.killed]);
    if (!process.isAlive) return;
    if (this.#random.chance(0.7)) {
      await Promise.race([this.#follow(process, this.#random.integer(1, 4)), process.killed]);
    }
    if (process.isAlive && this.#random.chance(0.2)) await this.#check(process);
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
    return { batch, encoded: encodeRecordBatch(batch), endCheck: checkOf(batch.data) };
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
    // Refused is refused: it is sent again only if it happens to be.
    this.#unanswered = this.#unanswered.filter((other) => other !== incoming);
  }

  /** Takes a few pieces, as an emitter does, and commits. */
  async #follow(process: Process, pieces: number): Promise<void> {
    for (let piece = 0; piece < pieces && process.isAlive; piece++) {
      const { cursor } = process;
      const { entry, record } = cursor.committed;
      const found = await cursor.read(entry);
      if (found === undefined) return;
      const from = found.number === entry ? record : 0;
      const to = this.#random.integer(from + 1, found.batch.sizes.length);
      const slice = sliceRecords(found.batch, from, to);
      const amount = { records: slice.sizes.length, bytes: slice.data.length };
      const fate = this.#random.next();
      try {
        await cursor.commit({
          point: { entry: found.number, record: to },
          state: { taken: found.number },
          ...(fate < 0.1 ? { deadLetters: [{ records: slice, reason: 'no' }] } : {}),
          ...(fate > 0.9 ? { discarded: amount } : {}),
        });
      } catch (error) {
        expect((error as Error).name).toBe('QueueError');
        expect(cursor.committed).toEqual({ entry, record });
      }
    }
    await this.#settleDeadLetters(process);
  }

  async #settleDeadLetters({ queue, cursor }: Process): Promise<void> {
    for (const { id, stream, position, bytes } of queue.deadLetters.list('follower')) {
      const records = await queue.deadLetters.read(id);
      expect(records?.data).toEqual(batchOf(stream, position, position + bytes).data);
      const settle = this.#random.pick([
        () => cursor.commit({ point: cursor.committed, replayed: [id] }),
        () => queue.deadLetters.discard([id]),
        () => queue.deadLetters.requestReplay([id]),
        () => Promise.resolve(),
      ]);
      await settle().catch((error: Error) => expect(error.name).toBe('QueueError'));
    }
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
      const { stream, start, data } = found.batch;
      expect(Buffer.compare(data, batchOf(stream, start, start + data.length).data)).toBe(0);
      const seen: Seen = { stream, start, end: start + data.length };
      expect(this.#seen.get(number) ?? seen, 'an entry stays what it was').toEqual(seen);
      this.#seen.set(number, seen);
      bytes += data.length;
    }
    expect(queue.balance().accepted.bytes).toBe(
      [...this.#seen.values()].reduce((sum, { start, end }) => sum + end - start, 0),
    );
    return bytes;
  }

  #checkBalance(queue: Queue, readBytes: number): void {
    const { accepted, emitters } = queue.balance();
    for (const { before, queued, deadLettered, discarded, delivered } of emitters) {
      for (const unit of ['records', 'bytes'] as const) {
        const parts = [before, queued, deadLettered, discarded, delivered].map((amount) => amount[unit]);
        expect(Math.min(...parts)).toBeGreaterThanOrEqual(0);
        expect(parts.reduce((a, b) => a + b)).toBe(accepted[unit]);
      }
    }
    const archivist = emitters.find(({ emitter }) => emitter === 'archivist');
    if (archivist !== undefined) expect(archivist.queued.bytes).toBe(readBytes);
  }
}

class Process {
  readonly queue: Queue;
  readonly store: FaultyStore;
  readonly cursor: QueueCursor;
  readonly killed: Promise<void>;
  readonly #unplug: () => void;
  isAlive = true;

  constructor(queue: Queue, store: FaultyStore, unplug: () => void, cursor: QueueCursor) {
    this.queue = queue;
    this.store = store;
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

async function ticks(count: number): Promise<void> {
  for (let i = 0; i < count; i++) await new Promise((resolve) => setImmediate(resolve));
}
