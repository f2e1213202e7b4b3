import { cutterFor } from '../../collector/cutting/cutter-for.ts';
import { textEncoding } from '../../formats/encodings/text-encoding.ts';
import { guessFormatOf, SAMPLE_BYTES, SAMPLE_RECORDS } from '../../formats/guess-format.ts';

/** The first format in which most of the first lines can be parsed; `plain` if there is none. */
export function guessFormat(bytes: Buffer, encoding?: string): string {
  const records = sampleRecords(bytes, encoding);
  return (records.length === 0 ? undefined : guessFormatOf(records)) ?? 'plain';
}

/**
 * The first complete lines in UTF-8; the first one without an end if there are none. `bytes`: the beginning of a file in
 * an encoding, by default UTF-8.
 */
export function sampleRecords(bytes: Buffer, encoding?: string): readonly Buffer[] {
  const sample = bytes.subarray(0, SAMPLE_BYTES);
  const options = { last: false, maxRecordBytes: SAMPLE_BYTES, maxRecords: SAMPLE_RECORDS };
  const cutter = cutterFor(undefined, undefined, encoding);
  const whole = cutter.cut(sample, options);
  const { sizes } = whole.sizes.length > 0 ? whole : cutter.cut(sample, { ...options, last: true });
  const decoder = textEncoding(encoding);
  let end = 0;
  return [...sizes].map((size) => {
    const start = end;
    end += size;
    const record = sample.subarray(start, end);
    return decoder === undefined ? record : Buffer.from(decoder.decode(record, start).text);
  });
}
