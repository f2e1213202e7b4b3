import { isLittleEndian, unitBytesOf } from './unit-bytes.ts';

const LF = 0x0a;
const CR = 0x0d;

/** The size of the LF or CRLF at the end of a record; 0 if there is none. `encoding`: undefined is UTF-8. */
export function lineEndBytes(bytes: Uint8Array, encoding: string | undefined): number {
  const { length } = bytes;
  const unitBytes = unitBytesOf(encoding);
  if (unitBytes === 1) return bytes[length - 1] !== LF ? 0 : bytes[length - 2] === CR ? 2 : 1;
  const units = Buffer.from(bytes.subarray(Math.max(0, length - 2 * unitBytes)));
  const isUnit = (at: number, value: number) => {
    if (at < 0) return false;
    const unit = isLittleEndian(encoding ?? '')
      ? units.readUIntLE(at, unitBytes)
      : units.readUIntBE(at, unitBytes);
    return unit === value;
  };
  if (!isUnit(units.length - unitBytes, LF)) return 0;
  return isUnit(units.length - 2 * unitBytes, CR) ? 2 * unitBytes : unitBytes;
}
