import { lineCutter } from '../../collector/cutting/line-cutter.ts';
import { guessFormatOf, SAMPLE_BYTES, SAMPLE_RECORDS } from '../../formats/guess-format.ts';

/** The first format in which most of the first lines can be parsed; `plain` if there is none. */
export function guessFormat(bytes: Buffer): string {
  const records = sampleRecords(bytes);
  return (records.length === 0 ? undefined : guessFormatOf(records)) ?? 'plain';
}

/** The first complete lines; the first one without an end if there are none. */
export function sampleRecords(bytes: Buffer): readonly Buffer[] {
  const sample = bytes.subarray(0, SAMPLE_BYTES);
  const options = { last: false, maxRecordBytes: SAMPLE_BYTES, maxRecords: SAMPLE_RECORDS };
  const whole = lineCutter.cut(sample, options);
  const { sizes } = whole.sizes.length > 0 ? whole : lineCutter.cut(sample, { ...options, last: true });
  let offset = 0;
  return [...sizes].map((size) => {
    offset += size;
    return sample.subarray(offset - size, offset);
  });
}
