import { lineCutter } from '../../collector/cutting/line-cutter.ts';
import { PARSE_ERROR } from '../../formats/marker-attributes.ts';
import { formatNamed } from '../../formats/registry.ts';

const SAMPLE_RECORDS = 20;
const SAMPLE_BYTES = 64 * 1024;
/** The strictest format first: each record of PostgreSQL's JSON log is JSON, too. */
const CANDIDATES = ['combined', 'postgres-jsonlog', 'json', 'postgres-csvlog'] as const;

/** The first format in which most of the first lines can be parsed; `plain` if there is none. */
export function guessFormat(bytes: Buffer): string {
  const sample = bytes.subarray(0, SAMPLE_BYTES);
  const options = { last: false, maxRecordBytes: SAMPLE_BYTES, maxRecords: SAMPLE_RECORDS };
  const whole = lineCutter.cut(sample, options);
  const { sizes } = whole.sizes.length > 0 ? whole : lineCutter.cut(sample, { ...options, last: true });
  const records = recordsOf(sample, sizes);
  if (records.length === 0) return 'plain';
  return CANDIDATES.find((name) => readable(name, records) * 2 > records.length) ?? 'plain';
}

function recordsOf(bytes: Buffer, sizes: Uint32Array): readonly Buffer[] {
  let offset = 0;
  return [...sizes].map((size) => {
    offset += size;
    return bytes.subarray(offset - size, offset);
  });
}

function readable(name: string, records: readonly Buffer[]): number {
  const format = formatNamed(name);
  return records.filter((record) => !format.parse(record).attributes.has(PARSE_ERROR)).length;
}
