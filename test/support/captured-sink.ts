import type { SourceStream, StreamSink } from '../../src/collector/source.ts';
import type { RecordBatch } from '../../src/records/record-batch.ts';
import type { StreamId } from '../../src/records/stream-id.ts';

/**
 * The publisher's side of a source, for tests of sources: keeps opened streams, and reads them on request.
 */
export class CapturedSink implements StreamSink {
  readonly streams = new Map<StreamId, SourceStream>();
  readonly closed: StreamId[] = [];
  readonly woken: StreamId[] = [];

  open(stream: SourceStream): void {
    this.streams.set(stream.id, stream);
  }

  wake(stream: StreamId): void {
    this.woken.push(stream);
  }

  close(stream: StreamId): void {
    this.streams.delete(stream);
    this.closed.push(stream);
  }

  /** The only stream. */
  get stream(): SourceStream {
    const [stream, ...others] = this.streams.values();
    if (stream === undefined || others.length > 0) throw new Error(`there are ${this.streams.size} streams`);
    return stream;
  }
}

/** Reads everything of a stream from a position, in batches of at most `bufferBytes`. */
export async function readAll(
  stream: SourceStream,
  from = stream.accepted,
  bufferBytes = 1024 * 1024,
): Promise<RecordBatch[]> {
  const batches: RecordBatch[] = [];
  for (let position = from; ; ) {
    const read = await stream.read(position, Buffer.alloc(bufferBytes));
    if (read.kind !== 'records') return batches;
    batches.push(read.batch);
    position = read.batch.start + read.batch.data.length;
  }
}

/** The records of batches, as text. */
export function textsOf(batches: readonly RecordBatch[]): string[] {
  return batches.flatMap(({ sizes, data }) => {
    let offset = 0;
    return Array.from(sizes, (size) => {
      offset += size;
      return Buffer.from(data.subarray(offset - size, offset)).toString();
    });
  });
}
