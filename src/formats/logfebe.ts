import { LOG_FIELDS, PRESENT } from '../protocols/febe/log-fields.ts';
import { LogShape } from '../protocols/febe/log-shape.ts';
import type { ParsedRecord } from '../records/log-record.ts';
import type { RecordContext } from '../records/record-context.ts';
import type { Format } from './format.ts';
import { plainRecord } from './plain.ts';
import { attributesOfColumns, type PostgresColumns } from './postgres/postgres-columns.ts';
import { postgresRecord } from './postgres/postgres-record.ts';
import { severityOfLevel } from './postgres/postgres-severity.ts';
import { POSTGRES_VERSION, postgresMajor } from './postgres/resource-attributes.ts';
import { TextReader } from './postgres/text-reader.ts';
import { recordText } from './record-text.ts';

/**
 * A record of the pg_logfebe extension: the 23 fields of an L frame, without the frame. Attributes have the
 * names of PostgreSQL's jsonlog. The meaning of a level number depends on the server's version, which is in
 * the resource.
 */
export const logfebe: Format = {
  name: 'logfebe',
  description: "Records of the pg_logfebe extension; attributes have the names of PostgreSQL's jsonlog.",
  lines: false,
  parse: parseLogfebe,
};

function parseLogfebe(bytes: Uint8Array, context?: RecordContext): ParsedRecord {
  const fault = SHAPE.measure(bytes);
  if (fault !== undefined) return plainRecord(recordText(bytes), fault.reason);
  const texts = new TextReader();
  const columns = LOG_FIELDS.map((_, index) => column(bytes, index, texts));
  const severity = severityOfLevel(
    Number(columns[LEVEL]),
    postgresMajor(context?.resource.get(POSTGRES_VERSION)),
  );
  return postgresRecord(attributesOfColumns(columns.with(LEVEL, severity.label)), texts.foreign, severity);
}

const SHAPE = new LogShape();
const LEVEL = LOG_FIELDS.findIndex(({ name }) => name === 'ELevel');

/** A field in the form of csvlog. */
function column(bytes: Uint8Array, index: number, texts: TextReader): PostgresColumns[number] {
  const start = SHAPE.starts[index] ?? 0;
  const end = SHAPE.starts[index + 1] ?? 0;
  switch (LOG_FIELDS[index]?.type) {
    case 'text':
      return texts.read(bytes.subarray(start, end - 1));
    case 'nullable':
      return bytes[start] === PRESENT ? texts.read(bytes.subarray(start + 1, end - 1)) : undefined;
    case 'int32':
      return String(viewOf(bytes).getInt32(start));
    case 'int64':
      return String(viewOf(bytes).getBigInt64(start));
    case 'uint64':
      return String(viewOf(bytes).getBigUint64(start));
    case undefined:
      return undefined;
  }
}

function viewOf(bytes: Uint8Array): DataView {
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
}
