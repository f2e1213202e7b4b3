import { forEachLogRecord } from '../formats/record-view.ts';
import type { LogRecord } from '../records/log-record.ts';
import { forEachRecord, type RecordBatch, sliceRecords } from '../records/record-batch.ts';
import type { Clock } from '../runtime/clock.ts';
import { errorMessage } from '../runtime/error-message.ts';
import type { HttpSink } from '../runtime/http/http-contract.ts';
import type { TapEnd, TapRequest } from './tap-request.ts';
import { tappedRecordText } from './tapped-record.ts';
import { WorkBudget } from './work-budget.ts';

/** Unsent bytes of one tap. */
const MAX_WAITING_BYTES = 256 * 1024;
/** Between two checks of the budget and the buffer. */
const CHUNK_RECORDS = 16;
const BEAT_MS = 500;
const HEARTBEAT_MS = 15_000;

/**
 * One open tap: it shows the records of a batch at the moment when they pass, and only while there is time and
 * room. The other records are counted, and the client receives their number.
 */
export class Tap {
  readonly #request: TapRequest;
  readonly #clock: Clock;
  readonly #sink: HttpSink;
  readonly #budget: WorkBudget;
  readonly #ended = new AbortController();
  #end: TapEnd | undefined;
  #shown = 0;
  #notShown = 0;
  #reported = 0;
  #heardMs: number;

  constructor(request: TapRequest, sink: HttpSink, clock: Clock) {
    this.#request = request;
    this.#sink = sink;
    this.#clock = clock;
    this.#budget = new WorkBudget(clock);
    this.#heardMs = clock.monotonicMs();
  }

  /** The bytes of the batch are only read during the call. Never throws. */
  offer(batch: RecordBatch): void {
    for (let from = 0; from < batch.sizes.length && this.#end === undefined; from += CHUNK_RECORDS) {
      const to = Math.min(from + CHUNK_RECORDS, batch.sizes.length);
      const hasRoom = this.#sink.waitingBytes < MAX_WAITING_BYTES;
      if (!hasRoom || !this.#budget.spend(() => this.#show(sliceRecords(batch, from, to)))) {
        this.#notShown += batch.sizes.length - from;
        return;
      }
    }
  }

  /** Records that passed, and that the tap did not see. */
  missed(records: number): void {
    this.#notShown += records;
  }

  /** Resolves when the tap has ended, or `signal` aborts. */
  async follow(signal: AbortSignal): Promise<void> {
    const end = () => this.#ended.abort();
    signal.addEventListener('abort', end, { once: true });
    if (signal.aborted) end();
    this.#sink.write(': open\n\n');
    while (!this.#ended.signal.aborted) {
      await this.#clock.sleep(BEAT_MS, this.#ended.signal).catch(() => {});
      this.#beat();
    }
    const last = { reason: this.#end ?? 'stopped', notShown: this.#notShown };
    this.#sink.write(`event: end\ndata: ${JSON.stringify(last)}\n\n`);
  }

  #show(batch: RecordBatch): void {
    try {
      for (const part of this.#request.stage?.(batch) ?? [batch]) this.#write(part);
    } catch (error) {
      // A tap must not disturb the path of the records.
      this.#finish(`failed: ${errorMessage(error)}`);
    }
  }

  #write(batch: RecordBatch): void {
    const { raw, limit = Number.POSITIVE_INFINITY } = this.#request;
    const bytes: Uint8Array[] = [];
    if (raw) forEachRecord(batch, (each) => void bytes.push(each));
    let text = '';
    forEachLogRecord(batch, (record, index) => {
      if (this.#shown >= limit || !this.#matches(record)) return;
      this.#shown++;
      text += `event: record\ndata: ${tappedRecordText(record, bytes[index])}\n\n`;
    });
    if (text !== '') this.#sink.write(text);
    if (this.#shown >= limit) this.#finish('limit');
  }

  #matches(record: LogRecord): boolean {
    return this.#request.matches?.(record) ?? true;
  }

  #finish(reason: TapEnd): void {
    this.#end ??= reason;
    this.#ended.abort();
  }

  /** Reports the number of records that were not shown, and keeps the connection alive. */
  #beat(): void {
    const nowMs = this.#clock.monotonicMs();
    if (this.#notShown > this.#reported) {
      this.#reported = this.#notShown;
      this.#heardMs = nowMs;
      this.#sink.write(`event: skipped\ndata: ${JSON.stringify({ count: this.#notShown })}\n\n`);
    } else if (nowMs - this.#heardMs >= HEARTBEAT_MS) {
      this.#heardMs = nowMs;
      this.#sink.write(': still here\n\n');
    }
  }
}
