import type { Check } from '../../src/records/check.ts';
import type { Position, Range } from '../../src/records/position.ts';
import { addRange, lastEnd, NO_RANGES, outside, type Ranges } from '../../src/records/ranges.ts';
import { endOf, type RecordBatch, sliceBytes } from '../../src/records/record-batch.ts';
import type { StreamId } from '../../src/records/stream-id.ts';
import {
  type BatchRefusedError,
  type IncomingBatch,
  type Ledger,
  QueueError,
  type QueueWriter,
  type StreamOpening,
  type StreamOwner,
} from '../../src/storage/queue/queue-contract.ts';

/** The intake side of the queue and the ledger, in memory, for tests of the intake. */
export class MemoryStore implements QueueWriter, Ledger {
  readonly batches: RecordBatch[] = [];
  readonly finals = new Map<StreamId, Position>();
  /** Turned by a test: appends wait for this. */
  gate: Promise<void> = Promise.resolve();
  /** Turned by a test: appends fail with this. */
  failure: string | undefined;
  /** Turned by a test: appends are refused with this. */
  refusal: BatchRefusedError | undefined;
  repeatedBytes = 0;
  #stopped: string | undefined;
  readonly #listeners = new Set<(reason: string | undefined) => void>();
  readonly #streams = new Map<StreamId, { ranges: Ranges; check: Check | undefined; owner: StreamOwner }>();

  get stopped(): string | undefined {
    return this.#stopped;
  }

  setStopped(reason: string | undefined): void {
    this.#stopped = reason;
    for (const listener of this.#listeners) listener(reason);
  }

  onStopped(listener: (reason: string | undefined) => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  async append({ batch, endCheck }: IncomingBatch): Promise<void> {
    await this.gate;
    if (this.refusal !== undefined) throw this.refusal;
    if (this.failure !== undefined) throw new QueueError(this.failure);
    const stream = this.#streams.get(batch.stream);
    if (stream === undefined) throw new Error('the stream was not opened');
    const range = { start: batch.start, end: endOf(batch) };
    const fresh = outside(range, stream.ranges);
    this.repeatedBytes += batch.data.length - fresh.reduce((sum, { start, end }) => sum + end - start, 0);
    for (const { start, end } of fresh) {
      const piece = sliceBytes(batch, start, end);
      this.batches.push({ ...piece, data: Uint8Array.from(piece.data) });
    }
    stream.ranges = addRange(stream.ranges, range);
    if (lastEnd(stream.ranges) === range.end) stream.check = endCheck;
  }

  open(id: StreamId, owner: StreamOwner): StreamOpening {
    const known = this.#streams.get(id);
    if (known === undefined) {
      this.#streams.set(id, { ranges: NO_RANGES, check: undefined, owner });
      return { kind: 'known', end: 0, check: undefined };
    }
    if (known.owner.collectorId !== owner.collectorId || known.owner.tlsSubject !== owner.tlsSubject) {
      return { kind: 'refused', reason: 'the stream belongs to another collector' };
    }
    return { kind: 'known', end: lastEnd(known.ranges), check: known.check };
  }

  finish(stream: StreamId, end: Position): boolean {
    this.finals.set(stream, end);
    return true;
  }

  ranges(stream: StreamId): readonly Range[] {
    return this.#streams.get(stream)?.ranges ?? [];
  }

  /** Everything of one stream, in the order it was taken. */
  bytesOf(stream: StreamId): Buffer {
    return Buffer.concat(this.batches.filter((batch) => batch.stream === stream).map(({ data }) => data));
  }
}
