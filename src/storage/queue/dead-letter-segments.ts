import type { RecordBatch } from '../../records/record-batch.ts';
import { encodeRecordBatchHead } from '../../records/wire.ts';
import { SerialQueue } from '../../runtime/async/serial-queue.ts';
import type { SegmentLocation } from '../segments/segment-format.ts';
import type { SegmentLog } from '../segments/segment-log.ts';
import type { QueueEvents } from './events.ts';

/**
 * The bytes of the dead letters. A segment is removed when no row and no pending commit refers to it; segments are small
 * (8 MiB), so that a few letters do not hold much space.
 */
export class DeadLetterSegments {
  readonly #log: SegmentLog;
  readonly #events: QueueEvents;
  readonly #turns = new SerialQueue();
  /** Rows and pending commits, by segment. */
  readonly #references = new Map<number, number>();

  constructor(log: SegmentLog, events: QueueEvents) {
    this.#log = log;
    this.#events = events;
  }

  /** At the start: truncates bytes after the last row, and removes segments that no row refers to. */
  async recover(rows: Iterable<SegmentLocation>): Promise<void> {
    let last: SegmentLocation | undefined;
    for (const row of rows) if (last === undefined || isAfter(row, last)) last = row;
    await this.#log.truncateTo(last);
    for (const segment of this.#log.segments) await this.#removeIfUnused(segment);
  }

  /** Flushes the bytes. Each location holds a reference until the commit has succeeded or failed. */
  append(letters: readonly RecordBatch[]): Promise<readonly SegmentLocation[]> {
    const payloads = letters.map((records) => [
      encodeRecordBatchHead(records, { compression: 'none', bytes: records.data }),
      records.data,
    ]);
    return this.#turns.run(async () => {
      const appended = await this.#log.append(payloads);
      await this.#log.flush();
      for (const { segment } of appended) this.refer(segment, 1);
      return appended;
    });
  }

  /** Adds or removes a reference to a segment. */
  refer(segment: number, sign: 1 | -1): void {
    const references = (this.#references.get(segment) ?? 0) + sign;
    if (references > 0) {
      this.#references.set(segment, references);
      return;
    }
    this.#references.delete(segment);
    void this.#removeIfUnused(segment);
  }

  /** Waits for segments that are being removed. */
  async close(): Promise<void> {
    await this.#turns.run(() => this.#log.close());
  }

  /** Runs between two appends, because new entries have no reference yet. */
  #removeIfUnused(segment: number): Promise<void> {
    return this.#turns
      .run(async () => {
        if (this.#references.has(segment)) return;
        if (segment === this.#log.writingSegment) await this.#log.seal();
        await this.#log.remove(segment);
      })
      .catch((err) => this.#events.backgroundWriteFailed({ err, what: 'the removal of a segment' }));
  }
}

function isAfter(a: SegmentLocation, b: SegmentLocation): boolean {
  return a.segment > b.segment || (a.segment === b.segment && a.offset > b.offset);
}
