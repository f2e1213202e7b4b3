import type { ParsedRecord } from '../records/log-record.ts';
import type { Format } from './format.ts';
import { plainRecord } from './plain.ts';
import { csvFields } from './postgres/csv-fields.ts';
import { attributesOfColumns, OLD_COLUMN_COUNT } from './postgres/postgres-columns.ts';
import { postgresRecord } from './postgres/postgres-record.ts';
import { TextReader } from './postgres/text-reader.ts';
import { recordText, withoutByteOrderMark, withoutLineEnding } from './record-text.ts';

/**
 * PostgreSQL's `log_destination = csvlog`: 23 columns, 24 since PostgreSQL 13, 26 since 14. Attributes as in
 * jsonlog. A record may span lines; the tail cuts it where its quotes end.
 */
export const postgresCsvlog: Format = {
  name: 'postgres-csvlog',
  description: "PostgreSQL's csvlog; attributes under the names of its jsonlog.",
  lines: true,
  parse: parseCsvlog,
};

function parseCsvlog(bytes: Uint8Array): ParsedRecord {
  const fields = csvFields(withoutLineEnding(withoutByteOrderMark(bytes)));
  if (fields === undefined || fields.length < OLD_COLUMN_COUNT)
    return plainRecord(recordText(bytes), 'not a csvlog record of PostgreSQL');
  const texts = new TextReader();
  const columns = fields.map((field) => (field === undefined ? undefined : texts.read(field)));
  return postgresRecord(attributesOfColumns(columns), texts.foreign);
}
