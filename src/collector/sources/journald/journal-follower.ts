import type { ExportEntry } from '../../../protocols/journal-export/export-entry.ts';
import { Backoff } from '../../../runtime/async/backoff.ts';
import type { Clock } from '../../../runtime/clock.ts';
import { errorMessage } from '../../../runtime/error-message.ts';
import { adviceFor } from './advice.ts';
import type { JournaldEntry } from './configuration.ts';
import { entriesBetween } from './cursor-gap.ts';
import type { JournaldEvents } from './events.ts';
import { hasMatches, readArguments, withoutMatches } from './journalctl-arguments.ts';
import { JournalctlRun, type JournalctlRunOptions } from './journalctl-run.ts';
import { newestCursor, queryJournal } from './query-journal.ts';

export interface JournalFollowerOptions {
  readonly entry: JournaldEntry;
  readonly origin: string;
  readonly machineId: string | undefined;
  readonly clock: Clock;
  readonly events: JournaldEvents;
  /** Read all existing entries, and no more. */
  readonly once: boolean;
  /** `take` may return something new, or `isFinished` has changed. */
  readonly onReadable: () => void;
  /** All entries until this cursor are known: the reader may continue after it. */
  readonly onCursor: (cursor: string) => void;
  /** Returns true for a cursor whose loss was reported before. */
  readonly reportGone: (cursor: string) => boolean;
}

/**
 * Keeps journalctl running, and continues after the last entry that was taken when it dies. Entries are pulled.
 *
 *     probe (is the cursor's entry still there?) --> run --> end or failure --> back-off --> probe ...
 */
export class JournalFollower {
  readonly #options: JournalFollowerOptions;
  readonly #backoff = new Backoff();
  #stopping = new AbortController();
  #loop: Promise<void> = Promise.resolve();
  #isStopped = false;
  #run: JournalctlRun | undefined;
  /** The end of the run was seen, or its output is damaged. */
  #runOver: (failure: string | undefined) => void = () => {};
  #cursor: string | undefined;
  /** The run begins with this entry, which is known. */
  #known: string | undefined;
  #isFinished = false;
  #failure: string | undefined;

  constructor(options: JournalFollowerOptions) {
    this.#options = options;
  }

  /** For `once`: there is nothing more to take. */
  get isFinished(): boolean {
    return this.#isFinished;
  }

  /** Why the journal cannot be read now. */
  get failure(): string | undefined {
    return this.#failure;
  }

  /** Continues after the entry of this cursor; undefined: at the start of the journal. */
  async startAfter(cursor: string | undefined): Promise<void> {
    await this.#halt();
    if (this.#isStopped) return;
    this.#stopping = new AbortController();
    this.#cursor = cursor;
    this.#isFinished = false;
    const { signal } = this.#stopping;
    this.#loop = Promise.all([this.#keepRunning(signal), this.#keepAdvancing(signal)]).then(() => {});
  }

  /** The entries that have arrived. */
  take(): readonly ExportEntry[] {
    const run = this.#run;
    if (run === undefined) return [];
    try {
      const entries = this.#withoutKnown(run.take());
      if (entries.length > 0) this.#backoff.reset();
      this.#cursor = entries.at(-1)?.cursor ?? this.#cursor;
      if (run.end !== undefined) this.#runOver(run.end.failure);
      return entries;
    } catch (error) {
      this.#runOver(errorMessage(error));
      return [];
    }
  }

  async stop(): Promise<void> {
    this.#isStopped = true;
    await this.#halt();
  }

  async #halt(): Promise<void> {
    this.#stopping.abort();
    this.#runOver(undefined);
    await this.#loop;
  }

  async #keepRunning(signal: AbortSignal): Promise<void> {
    while (!signal.aborted && !this.#isFinished) {
      const failure = await this.#runOnce(signal).catch(errorMessage);
      if (signal.aborted) return;
      this.#failure = failure;
      const { once, origin, events, clock, onReadable } = this.#options;
      if (failure !== undefined) {
        events.failed({ journal: origin, reason: failure, action: adviceFor(failure) });
      }
      if (once) {
        this.#isFinished = true;
        onReadable();
      } else await clock.sleep(this.#backoff.nextMs(), signal).catch(() => {});
    }
  }

  /** Returns the reason why the run has ended; undefined: it has ended normally. */
  async #runOnce(signal: AbortSignal): Promise<string | undefined> {
    const { origin, events, once, onReadable } = this.#options;
    if (this.#cursor === undefined) await this.#chooseStart(signal);
    else await this.#probe(this.#cursor, signal);
    signal.throwIfAborted();
    this.#known = this.#cursor;
    const over = new Promise<string | undefined>((resolve) => {
      this.#runOver = resolve;
    });
    const run = new JournalctlRun({ ...this.#query(this.#cursor, !once), onReadable });
    this.#run = run;
    this.#failure = undefined;
    events.reading({ journal: origin });
    const failure = await over;
    this.#run = undefined;
    await run.stop();
    return failure ?? (once ? undefined : 'journalctl ended');
  }

  async #chooseStart(signal: AbortSignal): Promise<void> {
    const { entry, onCursor } = this.#options;
    if (entry.start !== 'end') return;
    const newest = await newestCursor(this.#query(undefined, false, withoutMatches(entry)), signal);
    if (newest === undefined) return;
    this.#cursor = newest;
    onCursor(newest);
  }

  async #probe(cursor: string, signal: AbortSignal): Promise<void> {
    const { entry, origin, events, reportGone } = this.#options;
    const [first] = await queryJournal(this.#query(cursor, false, withoutMatches(entry)), 1, signal);
    if (first?.cursor === cursor || reportGone(cursor)) return;
    const lostEntries = entriesBetween(cursor, first?.cursor) ?? 'unknown';
    events.cursorGone({ journal: origin, cursor, lostEntries });
  }

  /** Nothing may match for weeks, while the entry of the cursor is removed. So the cursor follows the journal. */
  async #keepAdvancing(signal: AbortSignal): Promise<void> {
    const { entry, once, clock } = this.#options;
    if (once || !hasMatches(entry)) return;
    for (;;) {
      const before = this.#cursor;
      await clock.sleep(ADVANCE_AFTER_MS, signal).catch(() => {});
      if (signal.aborted) return;
      // A failure is reported by the run.
      if (this.#cursor === before) await this.#advance(signal).catch(() => {});
    }
  }

  async #advance(signal: AbortSignal): Promise<void> {
    const { entry, onCursor } = this.#options;
    const cursor = this.#cursor;
    const newest = await newestCursor(this.#query(undefined, false, withoutMatches(entry)), signal);
    // This query begins after the newest entry was seen: without a match, no entry until it matches.
    const matching = await queryJournal(this.#query(cursor, false), 2, signal);
    const isQuiet = matching.every((each) => each.cursor === cursor);
    if (newest === undefined || !isQuiet || this.#cursor !== cursor) return;
    this.#cursor = newest;
    onCursor(newest);
  }

  #query(
    cursor: string | undefined,
    isFollowing: boolean,
    selection: Parameters<typeof readArguments>[0] = this.#options.entry,
  ): Omit<JournalctlRunOptions, 'onReadable'> {
    const { entry, machineId, origin, events } = this.#options;
    return {
      command: entry.command,
      args: readArguments(selection, { cursor, isFollowing, machineId }),
      onNote: (note) => events.note({ journal: origin, note, action: adviceFor(note) }),
    };
  }

  #withoutKnown(entries: readonly ExportEntry[]): readonly ExportEntry[] {
    const [first] = entries;
    if (first === undefined) return entries;
    const isKnown = this.#known !== undefined && first.cursor === this.#known;
    this.#known = undefined;
    return isKnown ? entries.slice(1) : entries;
  }
}

const ADVANCE_AFTER_MS = 5 * 60_000;
