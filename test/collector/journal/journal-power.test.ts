import fc from 'fast-check';
import { expect, it } from 'vitest';
import type { JournalWriter } from '../../../src/collector/journal/journal-writer.ts';
import { SegmentLog } from '../../../src/storage/segments/segment-log.ts';
import type { StateStore } from '../../../src/storage/state/state-store.ts';
import { SimulatedDisk } from '../../storage/simulated-disk.ts';
import { readAll, textsOf } from '../../support/captured-sink.ts';
import { temporaryDirectory } from '../../support/temporary-directory.ts';
import { LABEL, type OpenedJournal, openJournal } from './opened-journal.ts';

const PATIENT = { timeout: 20_000, interval: 2 };
/** Segments of 4 KiB. */
const MAX_BYTES = 64 * 1024;
/** The source of `c` stores something with its records, so they are not recovered. */
const ORIGINS = ['a', 'b', 'c'] as const;
type Origin = (typeof ORIGINS)[number];

interface Channel {
  /** The records that are not accepted, in their order. */
  texts: string[];
  /** The number of them that are answered. */
  answered: number;
  ends: { readonly end: number; readonly count: number }[];
}

/** A journal on a disk that can lose what was not flushed. The state store is on a disk that keeps everything. */
class JournalOnDisk {
  readonly #directory: string;
  readonly #disk = new SimulatedDisk();
  readonly #channels = new Map<Origin, Channel>();
  #opened: OpenedJournal | undefined;
  #writers = new Map<Origin, JournalWriter>();
  #operationsLeft = Number.POSITIVE_INFINITY;
  #count = 0;
  #onEnd: () => void = () => undefined;

  private constructor(directory: string) {
    this.#directory = directory;
    for (const origin of ORIGINS) this.#channels.set(origin, { texts: [], answered: 0, ends: [] });
    this.#disk.faultOf = (operation) =>
      operation === 'read' || this.#isAlive() ? undefined : { code: 'EIO', isEnded: true };
  }

  static async open(): Promise<JournalOnDisk> {
    const journal = new JournalOnDisk(await temporaryDirectory());
    await journal.reopen();
    return journal;
  }

  append(origin: Origin, sizes: readonly number[]): void {
    const writer = this.#writer(origin);
    const channel = this.#channel(origin);
    for (const size of sizes) {
      const text = `${origin}${this.#count++}${'.'.repeat(size)};`;
      const end = writer.append(Buffer.from(text), LABEL);
      if (end === 'full') continue;
      channel.texts.push(text);
      channel.ends.push({ end, count: channel.texts.length });
    }
    writer.flushSoon();
  }

  /** All that is pending is answered. */
  async settle(): Promise<void> {
    for (const { texts, ...channel } of this.#channels.values())
      await expect.poll(() => this.#answeredOf(channel.ends), PATIENT).toBe(texts.length);
  }

  async accept(): Promise<void> {
    await this.settle();
    for (const stream of this.#opened?.sink.streams.values() ?? []) {
      const texts = textsOf(await readAll(stream));
      stream.accept(stream.accepted + texts.join('').length);
    }
    for (const [origin] of this.#channels) this.#channels.set(origin, { texts: [], answered: 0, ends: [] });
  }

  /** The process ends after some more operations. `keeps`: the power fails at the same moment. */
  async end(operations: number, keeps: (() => boolean) | undefined): Promise<void> {
    this.#onEnd = () => keeps && this.#disk.losePower(keeps);
    this.#operationsLeft = operations;
    for (const writer of this.#writers.values()) writer.flushSoon();
    const isDone = () => this.#operationsLeft <= 0 || this.#isSettled();
    await expect.poll(isDone, PATIENT).toBe(true);
    while (this.#operationsLeft > 0) this.#isAlive();
    await this.#opened?.abandon();
  }

  /** The power fails while nothing happens. */
  async losePower(keeps: () => boolean): Promise<void> {
    await this.end(1, keeps);
  }

  async reopen(): Promise<void> {
    this.#operationsLeft = Number.POSITIVE_INFINITY;
    this.#writers = new Map();
    this.#opened = await openJournal(this.#directory, {
      maxBytes: MAX_BYTES,
      openLog: (directory, segmentBytes) =>
        SegmentLog.open({ directory, segmentBytes, fileSystem: this.#disk.mount().fileSystem }),
      wrapState: (state) => this.#mortal(state),
    });
  }

  /** Each answered record is found once, in its order. Of the others, the first ones may be. */
  async verify(): Promise<void> {
    const found = new Map<string, readonly string[]>();
    for (const stream of this.#opened?.sink.streams.values() ?? []) {
      const texts = textsOf(await readAll(stream));
      if (texts[0] !== undefined) found.set(texts[0].charAt(0), texts);
    }
    for (const [origin, channel] of this.#channels) {
      const texts = found.get(origin) ?? [];
      // The acceptances of the last moments may be lost: then the records before `texts` are there too.
      const own = texts.filter((text) => this.#isExpected(text, channel));
      expect(own).toEqual(channel.texts.slice(0, own.length));
      expect(own.length).toBeGreaterThanOrEqual(channel.answered);
      channel.texts = own;
      channel.answered = own.length;
      channel.ends = [];
    }
  }

  #isExpected(text: string, { texts: [first] }: Channel): boolean {
    return first !== undefined && numberOf(text) >= numberOf(first);
  }

  #answeredOf(ends: readonly { readonly count: number }[]): number {
    for (const channel of this.#channels.values()) if (channel.ends === ends) return channel.answered;
    return -1;
  }

  #isSettled(): boolean {
    return [...this.#channels.values()].every(({ texts, answered }) => texts.length === answered);
  }

  #isAlive(): boolean {
    if (this.#operationsLeft <= 0) return false;
    if (--this.#operationsLeft > 0) return true;
    this.#onEnd();
    return false;
  }

  #mortal(state: StateStore): StateStore {
    return {
      table: (name) => state.table(name),
      close: () => state.close(),
      write: async (change) => {
        if (!this.#isAlive()) throw new Error('EIO: the process has ended');
        await state.write(change);
      },
    };
  }

  #channel(origin: Origin): Channel {
    const channel = this.#channels.get(origin);
    if (channel === undefined) throw new Error(`There is no channel ${origin}.`);
    return channel;
  }

  #writer(origin: Origin): JournalWriter {
    const known = this.#writers.get(origin);
    if (known !== undefined) return known;
    const writer = this.#opened?.journal.writer(origin, {
      ...(origin === 'c' && { onStoring: () => undefined }),
      onFlushed: (end) => {
        const channel = this.#channel(origin);
        for (const each of channel.ends)
          if (each.end <= end) channel.answered = Math.max(channel.answered, each.count);
      },
    });
    if (writer === undefined) throw new Error('The journal is not open.');
    this.#writers.set(origin, writer);
    return writer;
  }
}

function numberOf(text: string): number {
  return Number(/\d+/.exec(text)?.[0]);
}

const step = fc.record({
  appends: fc.array(
    fc.record({
      origin: fc.constantFrom(...ORIGINS),
      sizes: fc.array(fc.nat(1500), { minLength: 1, maxLength: 6 }),
    }),
    { maxLength: 4 },
  ),
  isSettledBefore: fc.boolean(),
  accepts: fc.boolean(),
  operations: fc.integer({ min: 1, max: 14 }),
  /** Undefined: the process is killed, and the disk loses nothing. */
  kept: fc.option(fc.array(fc.boolean(), { minLength: 1, maxLength: 40 }), { nil: undefined }),
  losesPowerAfter: fc.boolean(),
});

it('keeps each answered record when the process is killed or the power fails, at any moment', {
  timeout: 120_000,
}, async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(step, { minLength: 1, maxLength: 6 }), async (steps) => {
      const journal = await JournalOnDisk.open();
      for (const { appends, isSettledBefore, accepts, operations, kept, losesPowerAfter } of steps) {
        for (const { origin, sizes } of appends) journal.append(origin, sizes);
        if (isSettledBefore) await journal.settle();
        if (accepts) await journal.accept();
        for (const { origin, sizes } of appends.toReversed()) journal.append(origin, sizes);
        let next = 0;
        await journal.end(operations, kept && (() => kept[next++ % kept.length] ?? false));
        await journal.reopen();
        await journal.verify();
        if (!losesPowerAfter) continue;
        await journal.losePower(() => false);
        await journal.reopen();
        await journal.verify();
      }
      await journal.end(0, undefined);
    }),
    { numRuns: 40 },
  );
});
