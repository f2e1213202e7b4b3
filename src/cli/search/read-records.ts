import { open } from 'node:fs/promises';
import { hostname } from 'node:os';
import { resolve } from 'node:path';
import { cutterFor } from '../../collector/cutting/cutter-for.ts';
import { describedResource } from '../../collector/sources/tail/files/tail-configuration.ts';
import type { FormatDescription } from '../../formats/described/format-description.ts';
import { LIMITS } from '../../records/limits.ts';
import type { RecordBatch } from '../../records/record-batch.ts';
import type { Resource } from '../../records/resource.ts';
import { mintStreamId } from '../../records/stream-id.ts';
import { systemClock } from '../../runtime/clock.ts';
import { encodingOf } from './encoding-of.ts';
import { guessFormat } from './guess-format.ts';

export interface ReadOptions {
  /** undefined: the first records of the file decide. */
  readonly format: FormatDescription | undefined;
  /** undefined: UTF-8, or UTF-16 if the file begins with its byte order mark. */
  readonly encoding?: string | undefined;
}

/**
 * The records of one file, as a collector would send them. The last record is included if its line has no
 * end.
 */
export async function* readRecords(
  path: string,
  options: ReadOptions,
  signal: AbortSignal,
): AsyncGenerator<RecordBatch> {
  const file = await open(path);
  try {
    const stream = mintStreamId();
    let format = options.format?.name;
    const shared = new Map([
      ['host.name', hostname()],
      ['log.file.path', resolve(path)],
    ]);
    let resource: Resource = shared;
    let encoding: string | undefined;
    let start = 0;
    let rest = Buffer.alloc(0);
    for (let last = false; !last; ) {
      signal.throwIfAborted();
      const buffer = Buffer.allocUnsafe(LIMITS.batchBytes);
      rest.copy(buffer);
      const { bytesRead } = await file.read(
        buffer,
        rest.length,
        buffer.length - rest.length,
        start + rest.length,
      );
      last = bytesRead === 0;
      rest = buffer.subarray(0, rest.length + bytesRead);
      if (start === 0) {
        encoding = encodingOf(rest, options.encoding);
        resource = describedResource(shared, { options: options.format?.options, encoding });
      }
      format ??= guessFormat(rest, encoding);
      // After the maximum number of records of a batch, the rest is cut in the next round, before more is
      // read.
      const cut = cutterFor(undefined, format, encoding).cut(rest, {
        position: start,
        last,
        maxRecordBytes: LIMITS.recordBytes,
        maxRecords: LIMITS.batchRecords,
      });
      if (cut.length === 0) continue;
      const data = rest.subarray(0, cut.length);
      const observedTimeUnixNano = systemClock.nowUnixNano();
      yield {
        stream,
        start,
        resource,
        format,
        observedTimeUnixNano,
        sizes: cut.sizes,
        marks: cut.marks,
        data,
      };
      start += cut.length;
      rest = rest.subarray(cut.length);
      if (rest.length > 0) last = false;
    }
  } finally {
    await file.close();
  }
}
