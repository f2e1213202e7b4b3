import type {
  KnownToAggregator,
  ResumeDecision,
  SourceStream,
  StreamRead,
} from '../../src/collector/source.ts';
import { checkOf } from '../../src/records/check.ts';
import type { Position } from '../../src/records/position.ts';
import { NO_MARKS } from '../../src/records/record-batch.ts';
import { mintStreamId } from '../../src/records/stream-id.ts';

/** A stream of lines in memory, for tests of what stands behind the sources. */
export class MemoryStream implements SourceStream {
  readonly id = mintStreamId();
  accepted: Position = 0;
  refusals: string[] = [];
  resumes: KnownToAggregator[] = [];
  closed = false;
  #bytes: Buffer = Buffer.alloc(0);

  append(text: string | Buffer): this {
    this.#bytes = Buffer.concat([this.#bytes, Buffer.from(text as string)]);
    return this;
  }

  get bytes(): Buffer {
    return this.#bytes;
  }

  async resume(known: KnownToAggregator): Promise<ResumeDecision> {
    this.resumes.push(known);
    if (known.end > this.#bytes.length) return { kind: 'ended' };
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
    };
  }

  accept(end: Position): void {
    if (end < this.accepted) throw new Error(`accepted went back from ${this.accepted} to ${end}`);
    this.accepted = end;
  }

  refuse(reason: string): void {
    this.refusals.push(reason);
  }
}
