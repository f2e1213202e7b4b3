import type {
  KnownToAggregator,
  ResumeDecision,
  SourceStream,
  StreamRead,
} from '../../src/collector/source.ts';
import { checkOf } from '../../src/records/check.ts';
import type { ChecksumPair } from '../../src/records/checksum-codec.ts';
import type { Position } from '../../src/records/position.ts';
import { NO_MARKS } from '../../src/records/record-batch.ts';
import { compareChecksums, emptyChecksum, extendChecksum } from '../../src/records/running-checksum.ts';
import { mintStreamId } from '../../src/records/stream-id.ts';

/** A stream of lines in memory, for tests of the consumers of sources. */
export class MemoryStream implements SourceStream {
  readonly id;
  accepted: Position = 0;
  refusals: string[] = [];
  resumes: KnownToAggregator[] = [];
  closed = false;
  /** Called when the aggregator has other bytes, with what is not accepted as a new stream. */
  onDiverged: (rest: MemoryStream) => void = () => {};
  readonly #hasChecksums: boolean;
  #bytes: Buffer = Buffer.alloc(0);

  /** Without checksums it is as a stream of version 0.1.0. */
  constructor({ id = mintStreamId(), hasChecksums = false } = {}) {
    this.id = id;
    this.#hasChecksums = hasChecksums;
  }

  /** The same stream with the same state, as in a copied state directory. */
  clone(): MemoryStream {
    const copy = new MemoryStream({ id: this.id, hasChecksums: this.#hasChecksums }).append(this.#bytes);
    copy.accepted = this.accepted;
    return copy;
  }

  append(text: string | Buffer): this {
    this.#bytes = Buffer.concat([this.#bytes, Buffer.from(text as string)]);
    return this;
  }

  get bytes(): Buffer {
    return this.#bytes;
  }

  async resume(known: KnownToAggregator): Promise<ResumeDecision> {
    this.resumes.push(known);
    if (known.end > this.#bytes.length || this.#differs(known)) {
      const rest = new MemoryStream({ hasChecksums: this.#hasChecksums });
      this.onDiverged(rest.append(this.#bytes.subarray(this.accepted)));
      return { kind: 'ended' };
    }
    // As a file does: what the aggregator has is accepted, though the answer was lost with the call before.
    this.accepted = Math.max(this.accepted, known.contiguousEnd);
    return { kind: 'continue', from: this.accepted };
  }

  async read(from: Position, buffer: Buffer): Promise<StreamRead> {
    const copied = this.#bytes.copy(buffer, 0, from);
    const sizes: number[] = [];
    let end = 0;
    for (
      let at = buffer.indexOf(10, 0);
      at >= 0 && at < copied && sizes.length < 65_536;
      at = buffer.indexOf(10, end)
    ) {
      sizes.push(at + 1 - end);
      end = at + 1;
    }
    if (sizes.length === 0) return { kind: this.closed && from === this.#bytes.length ? 'ended' : 'waiting' };
    return {
      kind: 'records',
      batch: {
        stream: this.id,
        start: from,
        resource: new Map([['host.name', 'test']]),
        format: 'plain',
        observedTimeUnixNano: 1n,
        sizes: Uint32Array.from(sizes),
        marks: NO_MARKS,
        data: buffer.subarray(0, end),
      },
      endCheck: checkOf(this.#bytes.subarray(0, from + end)),
      checksums: this.#hasChecksums ? this.#checksums(from, from + end) : undefined,
    };
  }

  #differs({ end, check, checksum }: KnownToAggregator): boolean {
    if (this.#hasChecksums && checksum !== undefined)
      return compareChecksums(this.#checksums(0, end).end, checksum) === 'other';
    return check !== undefined && check !== checkOf(this.#bytes.subarray(0, end));
  }

  #checksums(start: Position, end: Position): ChecksumPair {
    const before = extendChecksum(emptyChecksum(0), this.#bytes.subarray(0, start));
    return { start: before, end: extendChecksum(before, this.#bytes.subarray(start, end)) };
  }

  accept(end: Position): void {
    if (end < this.accepted) throw new Error(`accepted went back from ${this.accepted} to ${end}`);
    this.accepted = end;
  }

  refuse(reason: string): void {
    this.refusals.push(reason);
  }
}
