import { OTLP_CONTEXT } from '../../../formats/marker-attributes.ts';
import { embedContext } from '../../../protocols/otlp/embedded-context.ts';
import { OtlpFault } from '../../../protocols/otlp/otlp-fault.ts';
import { splitRequest } from '../../../protocols/otlp/split-request.ts';
import type { Amount } from '../../../records/amount.ts';
import { LIMITS } from '../../../records/limits.ts';
import type { Resource } from '../../../records/resource.ts';
import { RECORD_OVERHEAD_BYTES } from '../../journal/journal-writer.ts';
import type { RecordLabel } from '../../journal/record-run.ts';
import { type IntakeRecord, RequestIntake, type RequestIntakeOptions } from '../requests/request-intake.ts';

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

/** Splits requests into log records for the stream of one listener. */
export class RecordIntake {
  readonly #intake: RequestIntake;
  readonly #label: RecordLabel;
  readonly #maxBytes: number;

  constructor({ label, maxBytes, ...options }: RecordIntakeOptions) {
    this.#maxBytes = maxBytes;
    this.#label = label;
    this.#intake = new RequestIntake(options);
  }

  get received(): Amount {
    return this.#intake.received;
  }

  /** Accepts an `ExportLogsServiceRequest`. Throws an OtlpFault when it is not valid. */
  async accept(request: Uint8Array): Promise<Acceptance> {
    const { records, tooLarge } = outgoingRecords(request, this.#label, this.#maxBytes);
    const kind = await this.#intake.accept(records);
    return kind === 'stored' ? { kind, tooLarge } : { kind };
  }

  stop(): void {
    this.#intake.stop();
  }

  abandon(): void {
    this.#intake.abandon();
  }
}

export interface RecordIntakeOptions extends RequestIntakeOptions {
  readonly label: RecordLabel;
  /** A request above it is not valid: the journal would never have room for it. */
  readonly maxBytes: number;
}

interface OutgoingRecords {
  readonly records: readonly IntakeRecord[];
  readonly tooLarge: number;
}

/** Throws an OtlpFault above `maxBytes`: a small request with a large resource must not become many times as large. */
function outgoingRecords(request: Uint8Array, label: RecordLabel, maxBytes: number): OutgoingRecords {
  let tooLarge = 0;
  let totalBytes = 0;
  const records: IntakeRecord[] = [];
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
      records.push({ bytes: isShared ? record : embedContext(record, context), label, peer });
    }
  }
  return { records, tooLarge };
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
