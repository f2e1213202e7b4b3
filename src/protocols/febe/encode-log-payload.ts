import { LOG_FIELDS, type LogFieldName, type LogFieldType } from './log-fields.ts';

/** Builds an L payload: for records that a collector must write itself, and for replays. */
export function encodeLogPayload(fields: LogPayloadFields): Buffer {
  return Buffer.concat(LOG_FIELDS.map(({ name, type }) => encodeField(type, fields[name] ?? null)));
}

/** The fields of an L payload. Omitted fields are null, empty or 0. */
export type LogPayloadFields = { readonly [Name in LogFieldName]?: string | number | bigint | null };

function encodeField(type: LogFieldType, value: string | number | bigint | null): Uint8Array {
  switch (type) {
    case 'text':
      return cString(value ?? '');
    case 'nullable':
      return value === null ? Buffer.from('N\0') : Buffer.concat([Buffer.from('P'), cString(value)]);
    case 'int32': {
      const bytes = Buffer.alloc(4);
      bytes.writeInt32BE(Number(value ?? 0));
      return bytes;
    }
    case 'int64':
    case 'uint64': {
      const bytes = Buffer.alloc(8);
      bytes.writeBigUInt64BE(BigInt.asUintN(64, BigInt(value ?? 0)));
      return bytes;
    }
  }
}

/**
 * The text and its NUL. A NUL within the text would end the field early and shift all following ones: it
 * becomes a blank.
 */
function cString(value: string | number | bigint): Buffer {
  return Buffer.from(`${String(value).replaceAll('\0', ' ')}\0`);
}
