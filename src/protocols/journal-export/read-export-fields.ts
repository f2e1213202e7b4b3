import { isFieldName } from './field-name.ts';

export interface ExportField {
  readonly name: string;
  readonly value: Buffer;
}

const LF = 0x0a;
const EQUALS = 0x3d;
const LENGTH_BYTES = 8;

/** The fields of one complete entry; undefined when the bytes are not one. */
export function readExportFields(bytes: Uint8Array): readonly ExportField[] | undefined {
  const data = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length);
  const fields: ExportField[] = [];
  for (let at = 0; at < data.length; ) {
    const end = data.indexOf(LF, at);
    if (end === -1) return undefined;
    if (end === at) return end + 1 === data.length && fields.length > 0 ? fields : undefined;
    const equals = data.subarray(at, end).indexOf(EQUALS);
    const name = data.toString('latin1', at, equals === -1 ? Math.min(end, at + MAX_NAME + 1) : at + equals);
    if (equals === -1 && !isFieldName(name)) return undefined;
    const [from, to] = equals === -1 ? binaryValue(data, end + 1) : [at + equals + 1, end];
    if (to > data.length || data[to] !== LF) return undefined;
    fields.push({ name, value: data.subarray(from, to) });
    at = to + 1;
  }
  return undefined;
}

const MAX_NAME = 64;

/** The end is after the data when the value is not complete. */
function binaryValue(data: Buffer, lengthAt: number): readonly [from: number, to: number] {
  const from = lengthAt + LENGTH_BYTES;
  if (from > data.length) return [from, Number.POSITIVE_INFINITY];
  return [from, from + Number(data.readBigUInt64LE(lengthAt))];
}
