/**
 * The fields of one CSV record in PostgreSQL's form: texts in double quotes, with quotes doubled; other
 * values without quotes; an empty value without quotes is null. undefined: another form. The line ending is
 * not part of it.
 */
export function csvFields(record: Uint8Array): (Uint8Array | undefined)[] | undefined {
  const end = record.length;
  const fields: (Uint8Array | undefined)[] = [];
  let offset = 0;
  for (;;) {
    const quoted = record[offset] === QUOTE;
    const fieldEnd = quoted ? endOfQuoted(record, offset + 1, end) : endOfBare(record, offset, end);
    if (fieldEnd === undefined) return undefined;
    if (quoted) fields.push(unquoted(record.subarray(offset + 1, fieldEnd - 1)));
    else fields.push(fieldEnd === offset ? undefined : record.subarray(offset, fieldEnd));
    if (fieldEnd === end) return fields;
    if (record[fieldEnd] !== COMMA) return undefined;
    offset = fieldEnd + 1;
  }
}

const QUOTE = 0x22;
const COMMA = 0x2c;

/** The index after the closing quote; undefined if there is none. */
function endOfQuoted(record: Uint8Array, from: number, end: number): number | undefined {
  let offset = from;
  for (;;) {
    const quote = record.indexOf(QUOTE, offset);
    if (quote < 0 || quote >= end) return undefined;
    if (quote + 1 >= end || record[quote + 1] !== QUOTE) return quote + 1;
    offset = quote + 2;
  }
}

function endOfBare(record: Uint8Array, from: number, end: number): number {
  const comma = record.indexOf(COMMA, from);
  return comma < 0 || comma > end ? end : comma;
}

function unquoted(field: Uint8Array): Uint8Array {
  if (!field.includes(QUOTE)) return field;
  const plain = new Uint8Array(field.length);
  let length = 0;
  for (let offset = 0; offset < field.length; offset++) {
    const byte = field[offset] ?? 0;
    plain[length++] = byte;
    if (byte === QUOTE) offset++;
  }
  return plain.subarray(0, length);
}
