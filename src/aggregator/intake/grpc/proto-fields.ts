import { BinaryReader } from '@bufbuild/protobuf/wire';

/** The tag of a field of protobuf that has a length: a text, bytes or a message. */
export function lengthTag(field: number): number {
  return field * 8 + LENGTH_DELIMITED;
}

/** The tag of a field of protobuf that is a number. */
export function numberTag(field: number): number {
  return field * 8;
}

/** The text in the first field of a message; empty when it has none. */
export function firstText(message: Uint8Array): string {
  const reader = new BinaryReader(message);
  let text = '';
  while (reader.pos < reader.len) {
    const [field, type] = reader.tag();
    if (field === 1 && type === LENGTH_DELIMITED) text = reader.string();
    else reader.skip(type);
  }
  return text;
}

export const LENGTH_DELIMITED = 2;
