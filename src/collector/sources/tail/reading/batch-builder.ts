import { SAMPLE_RECORDS } from '../../../../formats/guess-format.ts';
import { ENCODING } from '../../../../formats/marker-attributes.ts';
import type { Amount } from '../../../../records/amount.ts';
import { LIMITS } from '../../../../records/limits.ts';
import type { Position } from '../../../../records/position.ts';
import type { Resource } from '../../../../records/resource.ts';
import type { StreamId } from '../../../../records/stream-id.ts';
import type { Clock } from '../../../../runtime/clock.ts';
import type { Cut, Cutter } from '../../../cutting/cutter.ts';
import type { StreamRead } from '../../../source.ts';
import type { TailEvents } from '../files/events.ts';
import { AcceptedReads } from './accepted-reads.ts';
import type { FilePresence } from './file-presence.ts';
import type { StreamEncoding } from './stream-encoding.ts';
import type { ReadPiece, StreamEvidence } from './stream-evidence.ts';
import type { StreamFormat } from './stream-format.ts';

/** Cuts the bytes of one stream into records, and makes the batches that the publisher sends. */
export class BatchBuilder {
  readonly #parts: BatchBuilderParts;
  readonly #evidence: StreamEvidence;
  readonly #reads = new AcceptedReads();
  #cutter: { readonly encoding: string | undefined; readonly cutter: Cutter } | undefined;
  #resource: (RecordPlace & { readonly resource: Resource }) | undefined;

  constructor(parts: BatchBuilderParts, evidence: StreamEvidence) {
    this.#parts = parts;
    this.#evidence = evidence;
  }

  /** The records that were read in this run and are accepted. */
  get accepted(): Amount {
    return this.#reads.accepted;
  }

  /** `isLast`: the last record is complete as it is, because no more bytes of it are expected. */
  cut({ from, bytes, isEndOfFile }: ReadPiece, isLast: boolean): Cut {
    const maxRecordBytes = Math.min(LIMITS.recordBytes, Math.max(1, bytes.length));
    return this.#cutterNow.cut(bytes, {
      position: from,
      last: isLast,
      maxRecordBytes: isEndOfFile ? LIMITS.recordBytes : maxRecordBytes,
      maxRecords: LIMITS.batchRecords,
    });
  }

  /** True when the decision must be stored before the records are sent. */
  mustStoreFormat({ from, bytes }: ReadPiece, cut: Cut): boolean {
    if (this.#parts.format.isStored) return false;
    this.#formatOf(bytes, cut, from);
    return true;
  }

  /** Decides the format from the first bytes of the file, if they have a complete record. */
  decideFormat(bytes: Buffer, position: Position): void {
    const cut = this.#cutterNow.cut(bytes, {
      position,
      last: false,
      maxRecordBytes: LIMITS.recordBytes,
      maxRecords: SAMPLE_RECORDS,
    });
    if (cut.sizes.length > 0) this.#formatOf(bytes, cut, position);
  }

  build(piece: ReadPiece, cut: Cut): StreamRead {
    const { id, clock } = this.#parts;
    const { from, checksum } = piece;
    const data = piece.bytes.subarray(0, cut.length);
    const format = this.#formatOf(data, cut, from);
    this.#count(cut);
    const { endCheck, end } = this.#evidence.passed(piece, cut);
    this.#reads.read(from + data.length, { records: cut.sizes.length, bytes: data.length });
    const batch = {
      stream: id,
      start: from,
      resource: this.#resourceNow(format),
      format,
      observedTimeUnixNano: clock.nowUnixNano(),
      sizes: cut.sizes,
      marks: cut.marks,
      data,
    };
    const checksums = checksum && end && { start: checksum, end };
    return { kind: 'records', batch, endCheck, ...(checksums === undefined ? {} : { checksums }) };
  }

  accept(end: Position): void {
    this.#reads.accept(end);
  }

  restartAt(position: Position): void {
    this.#reads.restartAt(position);
  }

  /** Everything is read: memory that the next read can make again is freed. */
  rest(): void {
    this.#resource = undefined;
    this.#cutter = undefined;
  }

  #resourceNow(format: string): Resource {
    const { recordPath: path, recordTarget: target } = this.#parts.presence;
    if (this.#resource?.path !== path || this.#resource.target !== target) {
      const resource = this.#parts.resourceAt({ path, target }, format);
      this.#resource = { path, target, resource: this.#withEncoding(resource) };
    }
    return this.#resource.resource;
  }

  #withEncoding(resource: Resource): Resource {
    const { detected } = this.#parts.encoding;
    return detected === undefined ? resource : new Map(resource).set(ENCODING, detected);
  }

  #formatOf(bytes: Uint8Array, { length, sizes }: Cut, position: Position): string {
    const { format, encoding } = this.#parts;
    return format.of(bytes.subarray(0, length), sizes, { encoding: encoding.name, position });
  }

  /** The cutter of the encoding, which the first bytes may decide. */
  get #cutterNow(): Cutter {
    const { encoding, cutterOf } = this.#parts;
    if (this.#cutter?.encoding !== encoding.name || this.#cutter === undefined)
      this.#cutter = { encoding: encoding.name, cutter: cutterOf(encoding.name) };
    return this.#cutter.cutter;
  }

  #count(cut: Cut): void {
    const { events } = this.#parts;
    events.read({ bytes: cut.length, records: cut.sizes.length });
    if (cut.marks.length === 0) return;
    const unterminated = cut.marks.at(-1)?.mark === 'unterminated' ? 1 : 0;
    if (cut.marks.length > unterminated) events.cut({ records: cut.marks.length - unterminated });
    if (unterminated > 0) events.unterminated();
  }
}

/** The path that records carry, and the path of the file itself now, without links. */
export interface RecordPlace {
  readonly path: string;
  readonly target: string;
}

export interface BatchBuilderParts {
  readonly id: StreamId;
  readonly format: StreamFormat;
  readonly encoding: StreamEncoding;
  readonly cutterOf: (encoding: string | undefined) => Cutter;
  /** The attributes of records that are read under this path. */
  readonly resourceAt: (place: RecordPlace, format: string) => Resource;
  /** The path that records have now. */
  readonly presence: Pick<FilePresence, 'recordPath' | 'recordTarget'>;
  readonly clock: Clock;
  readonly events: TailEvents;
}
