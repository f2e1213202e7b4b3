import { OTLP_CONTEXT } from '../../../formats/marker-attributes.ts';
import { embedContext } from '../../../protocols/otlp/embedded-context.ts';
import { OtlpFault } from '../../../protocols/otlp/otlp-fault.ts';
import { splitRequest } from '../../../protocols/otlp/split-request.ts';
import type { Amount } from '../../../records/amount.ts';
import { LIMITS } from '../../../records/limits.ts';
import type { Position } from '../../../records/position.ts';
import type { Resource } from '../../../records/resource.ts';
import type { Journal } from '../../journal/journal.ts';
import { type JournalWriter, RECORD_OVERHEAD_BYTES } from '../../journal/journal-writer.ts';
import type { RecordLabel } from '../../journal/record-run.ts';

/** A larger context is not an attribute of the peer but a field of each record: a batch has a limit for its peers. */
const LARGEST_SHARED_CONTEXT_BYTES = 4096;

/** The answer to a request. */
export type Acceptance =
  /** On disk, except records that are too large. */
  | { readonly kind: 'stored'; readonly tooLarge: number }
  /** Nothing is kept: the client retries the request. */
  | { readonly kind: 'full' }
  /** The source stops. The request may be on disk. */
  | { readonly kind: 'stopped' };

/**
 * The stream of one listener in the journal. A request is appended as a whole or not at all, and is answered when its
 * records are on disk.
 */
export class RecordIntake {
  readonly #writer: JournalWriter;
  readonly #label: RecordLabel;
  readonly #maxBytes: number;
  /** In the order of their positions. */
  #waiting: WaitingRequest[] = [];
  #isStopped = false;
  #records = 0;
  #bytes = 0;

  constructor({ journal, origin, label, maxBytes }: RecordIntakeOptions) {
    this.#maxBytes = maxBytes;
    this.#label = label;
    this.#writer = journal.writer(origin, { onFlushed: (end) => this.#onFlushed(end) });
  }

  /** Records that were appended since the start, and their bytes. */
  get received(): Amount {
    return { records: this.#records, bytes: this.#bytes };
  }

  /** Accepts an `ExportLogsServiceRequest`. Throws an OtlpFault when it is not valid. */
  async accept(request: Uint8Array): Promise<Acceptance> {
    const { records, totalBytes, tooLarge } = outgoingRecords(request, this.#maxBytes);
    if (records.length === 0) return { kind: 'stored', tooLarge };
    if (this.#isStopped) return { kind: 'stopped' };
    if (!this.#writer.hasRoom(totalBytes)) return { kind: 'full' };
    const end = this.#append(records);
    if (end === 'full') return { kind: 'full' };
    this.#records += records.length;
    this.#bytes += totalBytes - records.length * RECORD_OVERHEAD_BYTES;
    this.#writer.flushSoon();
    const isStored = await new Promise<boolean>((resolve) => this.#waiting.push({ end, resolve }));
    return isStored ? { kind: 'stored', tooLarge } : { kind: 'stopped' };
  }

  /** No further requests. Those that wait are answered when they are on disk, or after `abandon`. */
  stop(): void {
    this.#isStopped = true;
    this.#writer.flushSoon();
  }

  abandon(): void {
    for (const { resolve } of this.#waiting.splice(0)) resolve(false);
  }

  #append(records: readonly OutgoingRecord[]): Position | 'full' {
    let end: Position | 'full' = 'full';
    for (const { bytes, peer } of records) end = this.#writer.append(bytes, this.#label, peer);
    return end;
  }

  #onFlushed(end: Position): void {
    const first = this.#waiting.findIndex((each) => each.end > end);
    const flushed = this.#waiting.splice(0, first === -1 ? this.#waiting.length : first);
    for (const { resolve } of flushed) resolve(true);
  }
}

export interface RecordIntakeOptions {
  readonly journal: Pick<Journal, 'writer'>;
  readonly origin: string;
  readonly label: RecordLabel;
  /** A request above it is not valid: the journal would never have room for it. */
  readonly maxBytes: number;
}

interface WaitingRequest {
  readonly end: Position;
  readonly resolve: (isStored: boolean) => void;
}

interface OutgoingRecord {
  readonly bytes: Uint8Array;
  readonly peer: Resource | undefined;
}

interface OutgoingRecords {
  readonly records: readonly OutgoingRecord[];
  /** The size of the records, and of what the journal needs besides. */
  readonly totalBytes: number;
  readonly tooLarge: number;
}

/** Throws an OtlpFault above `maxBytes`: a small request with a large resource must not become many times as large. */
function outgoingRecords(request: Uint8Array, maxBytes: number): OutgoingRecords {
  let tooLarge = 0;
  let totalBytes = 0;
  const records: OutgoingRecord[] = [];
  for (const { context, records: received } of splitRequest(request)) {
    const isShared = context.length <= LARGEST_SHARED_CONTEXT_BYTES;
    const peer = isShared ? peerOf(context) : undefined;
    for (const record of received) {
      const size = record.length + (isShared ? 0 : context.length + EMBEDDING_BYTES);
      if (size > LIMITS.recordBytes) {
        tooLarge++;
        continue;
      }
      totalBytes += size + RECORD_OVERHEAD_BYTES;
      if (totalBytes > maxBytes) throw new OtlpFault(tooManyBytes(maxBytes));
      records.push({ bytes: isShared ? record : embedContext(record, context), peer });
    }
  }
  return { records, totalBytes, tooLarge };
}

function tooManyBytes(maxBytes: number): string {
  return `The log records of a request must be at most ${maxBytes} bytes, with 16 bytes for each, and with resource and scope for each where these are above ${LARGEST_SHARED_CONTEXT_BYTES} bytes. Send fewer log records in a request.`;
}

/** Tag and length of the field, at most. */
const EMBEDDING_BYTES = 8;

function peerOf(context: Uint8Array): Resource | undefined {
  if (context.length === 0) return undefined;
  return new Map([[OTLP_CONTEXT, Buffer.from(context).toString('base64')]]);
}
