import { plus } from '../../records/amount.ts';
import type { StreamId } from '../../records/stream-id.ts';
import type { StateStore } from '../state/state-store.ts';
import type { Cursors } from './cursors.ts';
import type { QueueEvents } from './events.ts';
import type { StreamLedger } from './ledger.ts';
import type { QueueIndex } from './queue-index.ts';
import { changeTotals, isCounted, type QueueTables, type StreamRow } from './queue-tables.ts';
import type { RunningTime } from './running-time.ts';
import type { StreamCounts } from './stream-counts.ts';

/**
 * Removes the ranges of streams that ended 30 days ago, or were silent for 400, unless an entry of the queue
 * or a dead letter still has bytes of them. The totals keep their amounts. Checks a thousand rows in one
 * turn.
 */
export class Forgetting {
  readonly #parts: ForgettingParts;
  /** Start of the next turn; undefined: at the beginning. */
  #from: StreamId | undefined;

  constructor(parts: ForgettingParts) {
    this.#parts = parts;
  }

  /** Runs one turn. True when it has reached the end of the streams. */
  async turn(): Promise<boolean> {
    const { tables } = this.#parts;
    const selection = this.#from === undefined ? {} : { start: this.#from };
    const rows = [...tables.streams.entries({ ...selection, limit: ROWS_PER_TURN })];
    const old = rows.filter(({ value }) => this.#isOld(value)).map(({ key }) => key as StreamId);
    const pinned = new Set(old.filter((stream) => this.#hasDeadLetters(stream)));
    await this.#forget(old.filter((stream) => !pinned.has(stream)));
    const last = rows.at(-1);
    // A turn begins with the last row of the previous one: that row may be gone, or no longer be the last.
    this.#from = rows.length < ROWS_PER_TURN ? undefined : (last?.key as StreamId);
    return this.#from === undefined;
  }

  async #forget(streams: readonly StreamId[]): Promise<void> {
    if (streams.length === 0) return;
    const { store, tables, ledger, streamCounts, events } = this.#parts;
    const forgotten: StreamId[] = [];
    await store.write(() => {
      for (const stream of streams) {
        const row = tables.streams.get(stream);
        // A batch or an opening may have arrived in the meantime.
        if (row === undefined || !this.#isOld(row)) continue;
        tables.streams.remove(stream);
        if (isCounted(row)) streamCounts.add(row.owner.collectorId, -1);
        changeTotals(tables, (totals) => ({ ...totals, forgotten: { ...plus(totals.forgotten, row) } }));
        forgotten.push(stream);
      }
    });
    for (const stream of forgotten) ledger.forget(stream);
    if (forgotten.length > 0) events.streamsForgotten({ streams: forgotten.length });
  }

  #isOld(row: StreamRow): boolean {
    const { runningTime, index } = this.#parts;
    if (row.lastEntry >= index.firstRow) return false;
    const { day } = runningTime;
    if (day - row.seenDay >= DAYS_OF_SILENCE) return true;
    return row.final !== null && day - row.final.day >= DAYS_AFTER_FINAL;
  }

  #hasDeadLetters(stream: StreamId): boolean {
    const { tables, cursors } = this.#parts;
    return cursors.emitters.some(
      (emitter) => [...tables.deadLetters.entries({ prefix: [emitter, stream], limit: 1 })].length > 0,
    );
  }
}

/** Days of running time. */
export const DAYS_AFTER_FINAL = 30;
export const DAYS_OF_SILENCE = 400;
const ROWS_PER_TURN = 1000;

export interface ForgettingParts {
  readonly store: StateStore;
  readonly tables: QueueTables;
  readonly index: QueueIndex;
  readonly cursors: Cursors;
  readonly ledger: StreamLedger;
  readonly runningTime: RunningTime;
  readonly streamCounts: StreamCounts;
  readonly events: QueueEvents;
}
