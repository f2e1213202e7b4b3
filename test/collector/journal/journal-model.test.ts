import { appendFile, readdir } from 'node:fs/promises';
import { join } from 'node:path';
import fc from 'fast-check';
import { expect, it } from 'vitest';
import type { JournalWriter } from '../../../src/collector/journal/journal-writer.ts';
import type { RecordLabel } from '../../../src/collector/journal/record-run.ts';
import type { SourceStream } from '../../../src/collector/source.ts';
import { readAll, textsOf } from '../../support/captured-sink.ts';
import { temporaryDirectory } from '../../support/temporary-directory.ts';
import { MortalDisk } from './mortal-disk.ts';
import { type OpenedJournal, openJournal } from './opened-journal.ts';

/** The records of `c` are kept in order for each sender only. */
const ORIGINS = ['a', 'b', 'c'] as const;
type Origin = (typeof ORIGINS)[number];
const PATIENT = { timeout: 20_000, interval: 5 };
/** Small, so that it is full now and then. */
const MAX_BYTES = 512 * 1024;

const SENDERS = ['x', 'y', 'z'].map(
  (sender): RecordLabel => ({ format: 'plain', resource: new Map([['sender', sender]]) }),
);

interface ModelRecord {
  readonly text: string;
  readonly label: RecordLabel;
  /** As `append` returned it. */
  readonly end: number;
}

/** An origin's part of the model: unaccepted records in the order of their arrival. */
class Channel {
  readonly origin: Origin;
  records: ModelRecord[] = [];
  accepted: readonly ModelRecord[] = [];
  appendedEnd = 0;
  /** As last reported by `onFlushed`. */
  flushedEnd = 0;
  writer: JournalWriter | undefined;

  constructor(origin: Origin) {
    this.origin = origin;
  }

  /** Whether these records are the model's, with the promised order. */
  verify(found: readonly string[], records = this.records): void {
    if (this.origin !== 'c') return expect(found).toEqual(records.map(({ text }) => text));
    for (const label of SENDERS) {
      const expected = records.filter((record) => record.label === label).map(({ text }) => text);
      const sender = label.resource.get('sender') ?? '';
      expect(found.filter((text) => text.includes(`(${sender})`))).toEqual(expected);
    }
    expect(found).toHaveLength(records.length);
  }

  /** Records that keep their order. A write that a kill has interrupted may have stored those of other senders only. */
  #orders(): readonly ((record: ModelRecord) => boolean)[] {
    if (this.origin !== 'c') return [() => true];
    return SENDERS.map(
      (sender) =>
        ({ label }) =>
          label === sender,
    );
  }

  accept(texts: readonly string[]): void {
    const accepted = this.records.filter(({ text }) => texts.includes(text));
    this.accepted = [...this.accepted, ...accepted];
    this.records = this.records.filter((record) => !accepted.includes(record));
  }

  /**
   * The process was killed: records that were not reported as flushed may be gone, the last first. The last
   * acceptances may be gone too.
   */
  recovered(found: readonly string[]): void {
    const known = new Set(found);
    this.records = [...this.accepted.filter(({ text }) => known.has(text)), ...this.records];
    this.accepted = [];
    const kept = this.records.filter(({ text }) => known.has(text));
    const lost = this.records.filter((record) => !kept.includes(record));
    for (const { end } of lost) expect(end).toBeGreaterThan(this.flushedEnd);
    this.verify(found, kept);
    for (const each of this.#orders()) {
      const inOrder = this.records.filter(each);
      expect(kept.filter(each)).toEqual(inOrder.slice(0, kept.filter(each).length));
    }
    this.records = kept;
    this.appendedEnd -= lost.reduce((sum, { text }) => sum + text.length, 0);
    this.flushedEnd = this.appendedEnd;
  }
}

/** A journal and a model of its content. */
class JournalAndModel {
  readonly #directory: string;
  readonly #channels = ORIGINS.map((origin) => new Channel(origin));
  #disk = new MortalDisk();
  #opened: OpenedJournal;
  #count = 0;

  private constructor(directory: string, opened: OpenedJournal) {
    this.#directory = directory;
    this.#opened = opened;
  }

  static async open(): Promise<JournalAndModel> {
    const directory = await temporaryDirectory();
    const model = new JournalAndModel(directory, await openJournal(directory, { maxBytes: MAX_BYTES }));
    await model.restart(0);
    return model;
  }

  append(origin: Origin, count: number, size: number): void {
    const channel = this.#channel(origin);
    const writer = this.#writer(channel);
    for (let i = 0; i < count; i++) {
      const label = SENDERS[this.#count % SENDERS.length] as RecordLabel;
      const text = `${origin}${this.#count++} (${label.resource.get('sender')}) ${'.'.repeat(size)};`;
      const end = writer.append(Buffer.from(text), label);
      if (end === 'full') return;
      expect(end).toBe(channel.appendedEnd + text.length);
      channel.appendedEnd = end;
      channel.records.push({ text, label, end });
    }
  }

  /** The records of one read. */
  appendRun(origin: Origin, count: number, size: number): void {
    const channel = this.#channel(origin);
    const label = SENDERS[this.#count % SENDERS.length] as RecordLabel;
    const sender = label.resource.get('sender') ?? '';
    const texts = Array.from(
      { length: count },
      () => `${origin}${this.#count++} (${sender}) ${'.'.repeat(size)};`,
    );
    const sizes = Uint32Array.from(texts, (text) => text.length);
    const end = this.#writer(channel).appendRun({ data: Buffer.from(texts.join('')), sizes }, label);
    if (end === 'full') return;
    for (const text of texts) {
      channel.appendedEnd += text.length;
      channel.records.push({ text, label, end: channel.appendedEnd });
    }
    expect(end).toBe(channel.appendedEnd);
  }

  /** Appends more in the middle of each of the next commits, so that groups overlap. */
  burst(origin: Origin): void {
    this.append(origin, 40, 2000);
    this.flushSoon(origin);
    this.#disk.onFlush = () => {
      this.#disk.onFlush = undefined;
      this.append(origin, 40, 2000);
    };
  }

  flushSoon(origin: Origin): void {
    this.#writer(this.#channel(origin)).flushSoon();
  }

  /** There is room when everything is accepted. */
  async waitForRoom(origin: Origin): Promise<void> {
    const waiting = this.#writer(this.#channel(origin)).whenRoom(3000);
    for (const each of ORIGINS) await this.accept(each, 1);
    expect(await waiting).toBe(true);
  }

  async accept(origin: Origin, share: number): Promise<void> {
    const stream = await this.#stream(origin);
    if (stream === undefined) return;
    const found = await recordsOf(stream);
    const accepted = found.slice(0, Math.ceil(found.length * share));
    stream.accept(stream.accepted + accepted.join('').length);
    this.#channel(origin).accept(accepted);
  }

  /** The aggregator claims to have more than there is. */
  async rollBack(origin: Origin): Promise<void> {
    const stream = await this.#stream(origin);
    const known = { end: 1e9, check: undefined, contiguousEnd: 0 };
    if (stream !== undefined) expect(await stream.resume(known)).toEqual({ kind: 'ended' });
  }

  /** `tornBytes`: bytes after the end, left by a crash. */
  async restart(tornBytes: number): Promise<void> {
    this.#disk.onFlush = undefined;
    await this.#opened.close();
    for (const channel of this.#channels) expect(channel.flushedEnd).toBe(channel.appendedEnd);
    await this.#reopen(tornBytes);
    await this.verify();
  }

  /** Nothing reaches the disk after a number of writes, which may be in the middle of a commit. */
  async kill(writes: number): Promise<void> {
    this.#disk.killAfter(writes);
    for (const channel of this.#channels) channel.writer?.flushSoon();
    const isFlushed = () => this.#channels.every(({ flushedEnd, appendedEnd }) => flushedEnd === appendedEnd);
    await expect.poll(() => this.#disk.isDead || isFlushed(), PATIENT).toBe(true);
    this.#disk.onFlush = undefined;
    this.#disk.killAfter(0);
    await this.#opened.abandon();
    await this.#reopen(0);
    const found = await this.#found();
    for (const channel of this.#channels) channel.recovered(found.get(channel.origin) ?? []);
  }

  async verify(): Promise<void> {
    await this.#flush();
    const found = await this.#found();
    for (const channel of this.#channels) channel.verify(found.get(channel.origin) ?? []);
  }

  async #reopen(tornBytes: number): Promise<void> {
    const log = join(this.#directory, 'journal', 'test');
    const last = (await readdir(log)).sort().at(-1);
    if (last !== undefined) await appendFile(join(log, last), Buffer.alloc(tornBytes, 'MENT'));
    this.#disk = new MortalDisk();
    const { openLog, wrapState } = this.#disk;
    this.#opened = await openJournal(this.#directory, { maxBytes: MAX_BYTES, openLog, wrapState });
    for (const channel of this.#channels) channel.writer = undefined;
  }

  #channel(origin: Origin): Channel {
    return this.#channels[ORIGINS.indexOf(origin)] as Channel;
  }

  #writer(channel: Channel): JournalWriter {
    channel.writer ??= this.#opened.journal.writer(channel.origin, {
      order: channel.origin === 'c' ? 'label' : 'arrival',
      // Its records are not recovered without their transaction.
      ...(channel.origin === 'b' && { onStoring: () => {} }),
      onFlushed: (end) => {
        expect(end).toBeGreaterThan(channel.flushedEnd);
        expect(end).toBeLessThanOrEqual(channel.appendedEnd);
        channel.flushedEnd = end;
      },
    });
    return channel.writer;
  }

  /** The unaccepted records of each origin. */
  async #found(): Promise<ReadonlyMap<string, readonly string[]>> {
    const found = new Map<string, readonly string[]>();
    for (const stream of this.#opened.sink.streams.values()) {
      const records = await recordsOf(stream);
      if (records[0] !== undefined) found.set(records[0].charAt(0), records);
    }
    return found;
  }

  /** The stream that holds records of an origin. */
  async #stream(origin: Origin): Promise<SourceStream | undefined> {
    await this.#flush();
    for (const stream of this.#opened.sink.streams.values())
      if ((await recordsOf(stream))[0]?.startsWith(origin)) return stream;
    return undefined;
  }

  async #flush(): Promise<void> {
    // A burst appends while this waits.
    for (const channel of this.#channels)
      await expect.poll(() => channel.appendedEnd - channel.flushedEnd, PATIENT).toBe(0);
  }
}

async function recordsOf(stream: SourceStream): Promise<string[]> {
  return textsOf(await readAll(stream));
}

type Action = (journal: JournalAndModel) => void | Promise<void>;

const origin = fc.constantFrom(...ORIGINS);
const action: fc.Arbitrary<Action> = fc.oneof(
  {
    weight: 6,
    arbitrary: fc.tuple(origin, fc.integer({ min: 1, max: 100 }), fc.nat(3000)).map(
      ([of, count, size]): Action =>
        (journal) =>
          journal.append(of, count, size),
    ),
  },
  {
    weight: 3,
    arbitrary: fc.tuple(origin, fc.integer({ min: 1, max: 100 }), fc.nat(3000)).map(
      ([of, count, size]): Action =>
        (journal) =>
          journal.appendRun(of, count, size),
    ),
  },
  {
    weight: 3,
    arbitrary: origin.map(
      (of): Action =>
        (journal) =>
          journal.burst(of),
    ),
  },
  {
    weight: 1,
    arbitrary: origin.map(
      (of): Action =>
        (journal) =>
          journal.flushSoon(of),
    ),
  },
  {
    weight: 1,
    arbitrary: origin.map(
      (of): Action =>
        (journal) =>
          journal.waitForRoom(of),
    ),
  },
  {
    weight: 3,
    arbitrary: fc.tuple(origin, fc.double({ min: 0, max: 1, noNaN: true })).map(
      ([of, share]): Action =>
        (journal) =>
          journal.accept(of, share),
    ),
  },
  {
    weight: 1,
    arbitrary: origin.map(
      (of): Action =>
        (journal) =>
          journal.rollBack(of),
    ),
  },
  {
    weight: 1,
    arbitrary: fc.nat(100).map(
      (torn): Action =>
        (journal) =>
          journal.restart(torn),
    ),
  },
  {
    weight: 2,
    arbitrary: fc.nat(6).map(
      (writes): Action =>
        (journal) =>
          journal.kill(writes),
    ),
  },
);

it('behaves like a list for each origin across restarts, kills, torn writes, rollbacks and a full disk', {
  timeout: 180_000,
}, async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(action, { maxLength: 20 }), async (actions) => {
      const journal = await JournalAndModel.open();
      for (const act of actions) await act(journal);
      await journal.restart(0);
    }),
    { numRuns: 40 },
  );
});
