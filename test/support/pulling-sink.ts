import type { SourceStream, StreamSink } from '../../src/collector/source.ts';
import { CHECK_WINDOW_BYTES, type Check, checkOf } from '../../src/records/check.ts';
import type { RecordBatch } from '../../src/records/record-batch.ts';
import { endOf } from '../../src/records/record-batch.ts';
import type { StreamId } from '../../src/records/stream-id.ts';

/** What an aggregator has taken, over any number of sinks: the starts of a collector. */
export class TakenBytes {
  readonly #streams = new Map<StreamId, { data: Buffer; start: number; check: Check }>();
  /** In the order of arrival, without repetitions. */
  readonly batches: RecordBatch[] = [];
  /** Bytes that were sent again. */
  repeatedBytes = 0;
  /** A batch may begin after the end of the one before; the bytes between must be NUL. */
  allowsHoles = false;

  known(stream: StreamId): { end: number; check: Check | undefined; contiguousEnd: number } {
    const taken = this.#streams.get(stream);
    const end = taken === undefined ? 0 : taken.start + taken.data.length;
    return { end, check: taken?.check, contiguousEnd: end };
  }

  take(batch: RecordBatch, endCheck: Check): void {
    const taken = this.#streams.get(batch.stream) ?? {
      data: Buffer.alloc(0),
      start: batch.start,
      check: endCheck,
    };
    const end = taken.start + taken.data.length;
    if (batch.start > end) {
      if (!this.allowsHoles) throw new Error(`A gap in ${batch.stream}: ${end} to ${batch.start}`);
      taken.data = Buffer.concat([taken.data, Buffer.alloc(batch.start - end)]);
      this.#streams.set(batch.stream, taken);
      return this.take(batch, endCheck);
    }
    const repeated = Math.min(end, endOf(batch)) - batch.start;
    const before = taken.data.subarray(batch.start - taken.start, batch.start - taken.start + repeated);
    if (!before.equals(batch.data.subarray(0, repeated))) throw new Error(`Other bytes in ${batch.stream}`);
    this.repeatedBytes += repeated;
    if (repeated === batch.data.length) return;
    taken.data = Buffer.concat([taken.data, batch.data.subarray(repeated)]);
    taken.check = endCheck;
    if (taken.start === 0 || taken.data.length >= CHECK_WINDOW_BYTES) {
      if (checkOf(taken.data) !== endCheck)
        throw new Error(`A wrong check at ${endOf(batch)} of ${batch.stream}`);
    }
    this.#streams.set(batch.stream, taken);
    this.batches.push({ ...batch, data: Buffer.from(batch.data.subarray(repeated)) });
  }

  /** All bytes in the order of arrival; of one file only, by what its records call it. */
  text(path?: string): string {
    return this.batches
      .filter(({ resource }) => path === undefined || resource.get('log.file.path') === path)
      .map(({ data }) => Buffer.from(data).toString('latin1'))
      .join('');
  }

  textOf(stream: StreamId): string {
    return this.#streams.get(stream)?.data.toString('latin1') ?? '';
  }

  get streamIds(): StreamId[] {
    return [...this.#streams.keys()];
  }
}

interface Pulled {
  readonly source: SourceStream;
  next: number | undefined;
  busy: boolean;
  woken: boolean;
  unaccepted: number[];
}

export interface PullingSinkOptions {
  readonly taken?: TakenBytes;
  readonly bufferBytes?: number;
}

/**
 * Pulls from a source as the publisher does, one read after the other, and checks that positions are strict. The
 * switches are thrown by tests: `paused` (no room on the way), `accepting` (the aggregator answers), and `reconnect`.
 */
export class PullingSink implements StreamSink {
  readonly taken: TakenBytes;
  readonly opened: StreamId[] = [];
  readonly ended: StreamId[] = [];
  readonly closed: StreamId[] = [];
  readonly failures: Error[] = [];
  accepting = true;
  #paused = false;
  readonly #bufferBytes: number;
  readonly #streams = new Map<StreamId, Pulled>();
  #busy = 0;

  constructor({ taken = new TakenBytes(), bufferBytes = 1024 * 1024 }: PullingSinkOptions = {}) {
    this.taken = taken;
    this.#bufferBytes = bufferBytes;
  }

  get paused(): boolean {
    return this.#paused;
  }

  set paused(paused: boolean) {
    this.#paused = paused;
    if (!paused) for (const id of this.#streams.keys()) this.wake(id);
  }

  open(source: SourceStream): void {
    if (this.#streams.has(source.id)) this.failures.push(new Error(`Opened twice: ${source.id}`));
    this.opened.push(source.id);
    this.#streams.set(source.id, { source, next: undefined, busy: false, woken: false, unaccepted: [] });
    this.wake(source.id);
  }

  wake(id: StreamId): void {
    const stream = this.#streams.get(id);
    if (stream === undefined) return;
    stream.woken = true;
    if (!stream.busy && !this.#paused) void this.#pull(stream);
  }

  close(id: StreamId): void {
    this.closed.push(id);
    this.#streams.delete(id);
  }

  /** Answers for everything that was sent. */
  acceptAll(): void {
    for (const { source, unaccepted } of this.#streams.values()) {
      for (const end of unaccepted.splice(0)) source.accept(end);
    }
  }

  /** Rejects every stream, as an aggregator does. */
  refuseAll(reason: string): void {
    for (const { source } of this.#streams.values()) source.refuse(reason);
  }

  /** A new call: what was sent and not answered may or may not have been taken. */
  async reconnect(): Promise<void> {
    await this.idle();
    for (const stream of this.#streams.values()) {
      stream.next = undefined;
      stream.unaccepted = [];
    }
    for (const id of this.#streams.keys()) this.wake(id);
  }

  /** Resolves when no read is under way. Throws what went wrong. */
  async idle(): Promise<void> {
    while (this.#busy > 0) await new Promise((resolve) => setImmediate(resolve));
    if (this.failures[0] !== undefined) throw this.failures[0];
  }

  async #pull(stream: Pulled): Promise<void> {
    stream.busy = true;
    this.#busy++;
    try {
      while (stream.woken && !this.#paused && this.#streams.get(stream.source.id) === stream) {
        stream.woken = false;
        if (!(await this.#readOn(stream))) return;
      }
    } catch (error) {
      this.failures.push(error as Error);
    } finally {
      stream.busy = false;
      this.#busy--;
    }
  }

  /** False when the stream is over. */
  async #readOn(stream: Pulled): Promise<boolean> {
    const { source } = stream;
    if (stream.next === undefined) {
      const decision = await source.resume(this.taken.known(source.id));
      if (decision.kind === 'ended') {
        this.#streams.delete(source.id);
        return false;
      }
      stream.next = decision.from;
    }
    while (!this.#paused) {
      const buffer = Buffer.allocUnsafe(this.#bufferBytes);
      const read = await source.read(stream.next, buffer);
      if (read.kind === 'waiting') return true;
      if (read.kind === 'ended') {
        if (stream.unaccepted.length > 0) return true;
        this.ended.push(source.id);
        this.#streams.delete(source.id);
        return false;
      }
      this.#take(stream, read.batch, read.endCheck);
    }
    stream.woken = true;
    return true;
  }

  #take(stream: Pulled, batch: RecordBatch, endCheck: Check): void {
    const isStrict =
      batch.start === stream.next || (this.taken.allowsHoles && batch.start > (stream.next ?? 0));
    if (!isStrict) throw new Error(`Read at ${batch.start}, not at ${stream.next}`);
    const sum = batch.sizes.reduce((total, size) => total + size, 0);
    if (sum !== batch.data.length || sum === 0) throw new Error('Sizes that do not add up');
    this.taken.take(batch, endCheck);
    stream.next = endOf(batch);
    if (this.accepting) stream.source.accept(endOf(batch));
    else stream.unaccepted.push(endOf(batch));
  }
}
