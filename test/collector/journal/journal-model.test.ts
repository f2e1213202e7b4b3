import { appendFile, readdir } from 'node:fs/promises';
import { join } from 'node:path';
import fc from 'fast-check';
import { expect, it } from 'vitest';
import type { JournalWriter } from '../../../src/collector/journal/journal-writer.ts';
import type { SourceStream } from '../../../src/collector/source.ts';
import { readAll } from '../../support/captured-sink.ts';
import { temporaryDirectory } from '../../support/temporary-directory.ts';
import { LABEL, type OpenedJournal, openJournal } from './opened-journal.ts';

const ORIGINS = ['a', 'b', 'c'] as const;
type Origin = (typeof ORIGINS)[number];

/** A journal and a model of its content: for each origin a list of unaccepted records. */
class JournalAndModel {
  readonly #directory: string;
  readonly #model = new Map<Origin, string[]>(ORIGINS.map((origin) => [origin, []]));
  #opened: OpenedJournal;
  #writers = new Map<Origin, JournalWriter>();
  #count = 0;
  /** Of those, appended since the journal was opened. */
  #appended = 0;

  private constructor(directory: string, opened: OpenedJournal) {
    this.#directory = directory;
    this.#opened = opened;
  }

  static async open(): Promise<JournalAndModel> {
    const directory = await temporaryDirectory();
    return new JournalAndModel(directory, await openJournal(directory));
  }

  append(origin: Origin, count: number, size: number): void {
    const writer = this.#writers.get(origin) ?? this.#opened.journal.writer(origin);
    this.#writers.set(origin, writer);
    for (let i = 0; i < count; i++) {
      const record = `${origin}${this.#count++} ${'.'.repeat(size)}`;
      this.#appended++;
      writer.append(Buffer.from(record), LABEL);
      this.#records(origin).push(record);
    }
  }

  async accept(origin: Origin, share: number): Promise<void> {
    const stream = await this.#stream(origin);
    const records = this.#records(origin);
    const accepted = records.splice(0, Math.ceil(records.length * share));
    stream?.accept(stream.accepted + accepted.join('').length);
  }

  /** The aggregator claims to have more than there is. */
  async rollBack(origin: Origin): Promise<void> {
    const stream = await this.#stream(origin);
    const known = { end: 1e9, check: undefined, contiguousEnd: 0 };
    if (stream !== undefined) expect(await stream.resume(known)).toEqual({ kind: 'ended' });
  }

  /**
   * `tornBytes`: bytes after the end, left by a crash.
   *
   */
  async restart(tornBytes: number): Promise<void> {
    await this.#opened.close();
    const log = join(this.#directory, 'journal', 'test');
    const last = (await readdir(log)).sort().at(-1);
    if (last !== undefined) await appendFile(join(log, last), Buffer.alloc(tornBytes, 'MENT'));
    this.#opened = await openJournal(this.#directory);
    this.#writers = new Map();
    this.#appended = 0;
    await this.verify();
  }

  async verify(): Promise<void> {
    await this.#flush();
    const found = new Map<string, string>(ORIGINS.map((origin) => [origin, '']));
    for (const stream of this.#opened.sink.streams.values()) {
      const text = await textOf(stream);
      if (text !== '') found.set(text.charAt(0), text);
    }
    expect([...found.values()]).toEqual(ORIGINS.map((origin) => this.#records(origin).join('')));
  }

  #records(origin: Origin): string[] {
    return this.#model.get(origin) ?? [];
  }

  /** The stream that holds records of an origin. */
  async #stream(origin: Origin): Promise<SourceStream | undefined> {
    await this.#flush();
    for (const stream of this.#opened.sink.streams.values())
      if ((await textOf(stream)).startsWith(origin)) return stream;
    return undefined;
  }

  async #flush(): Promise<void> {
    await expect.poll(() => this.#opened.metric('records_total')).toBe(this.#appended);
  }
}

async function textOf(stream: SourceStream): Promise<string> {
  return (await readAll(stream)).map(({ data }) => Buffer.from(data).toString()).join('');
}

type Action = (journal: JournalAndModel) => void | Promise<void>;

const origin = fc.constantFrom(...ORIGINS);
const action: fc.Arbitrary<Action> = fc.oneof(
  {
    weight: 5,
    arbitrary: fc.tuple(origin, fc.integer({ min: 1, max: 50 }), fc.nat(3000)).map(
      ([of, count, size]): Action =>
        (journal) =>
          journal.append(of, count, size),
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
);

it('behaves like a list for each origin across restarts, torn writes and rollbacks', {
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
