import { forEachLogRecord } from '../../formats/record-view.ts';
import type { EncodedGroup, RequestCodec } from '../../protocols/otlp/request-codec.ts';
import type { RecordBatch } from '../../records/record-batch.ts';
import { type OutgoingRecord, outgoingRecord } from './outgoing-record.ts';

/** The encoded body of one request. */
export interface OutgoingRequest {
  readonly body: Buffer;
  /** The records `[from, to)` of those that were given. */
  readonly from: number;
  readonly to: number;
}

export interface RequestLimits {
  readonly records: number;
  readonly bytes: number;
}

/** The records of slices as requests within the limits, in order. A record above the limit is alone in its request. */
export function* outgoingRequests(
  slices: Iterable<RecordBatch>,
  codec: RequestCodec,
  limits: RequestLimits,
): Generator<OutgoingRequest> {
  let building = new RequestBuilder(codec, 0);
  for (const slice of slices) {
    const records: OutgoingRecord[] = [];
    forEachLogRecord(slice, (record, index) => records.push(outgoingRecord(record, slice, index)));
    for (const outgoing of records) {
      const encoded = codec.record(outgoing.record);
      if (!building.hasRoomFor(outgoing, encoded, limits)) {
        yield building.done();
        building = new RequestBuilder(codec, building.to);
      }
      building.add(outgoing, encoded);
    }
  }
  if (building.to > building.from) yield building.done();
}

class RequestBuilder {
  readonly from: number;
  to: number;
  readonly #codec: RequestCodec;
  readonly #groups = new Map<string, EncodedGroup & { readonly records: Uint8Array[] }>();
  #bytes = 0;

  constructor(codec: RequestCodec, from: number) {
    this.#codec = codec;
    this.from = from;
    this.to = from;
  }

  hasRoomFor({ groupKey }: OutgoingRecord, encoded: Uint8Array, { records, bytes }: RequestLimits): boolean {
    if (this.to === this.from) return true;
    return this.to - this.from < records && this.#bytes + this.#sizeOf(groupKey, encoded) <= bytes;
  }

  add({ groupKey, group }: OutgoingRecord, encoded: Uint8Array): void {
    this.#bytes += this.#sizeOf(groupKey, encoded);
    const known = this.#groups.get(groupKey);
    if (known === undefined) this.#groups.set(groupKey, { ...group(), records: [encoded] });
    else known.records.push(encoded);
    this.to++;
  }

  done(): OutgoingRequest {
    const body = this.#codec.request([...this.#groups.values()]);
    return { body, from: this.from, to: this.to };
  }

  /** The key of a group is about as large as the group. */
  #sizeOf(groupKey: string, encoded: Uint8Array): number {
    return encoded.length + FIELD_BYTES + (this.#groups.has(groupKey) ? 0 : groupKey.length);
  }
}

/** Tag and length. */
const FIELD_BYTES = 6;
