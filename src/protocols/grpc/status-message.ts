/** `grpc-message` in a header: UTF-8, where all bytes but printable ASCII, and `%`, are percent-encoded. */
export function encodeStatusMessage(message: string): string {
  let encoded = '';
  for (const byte of Buffer.from(message)) {
    encoded +=
      byte >= 0x20 && byte <= 0x7e && byte !== PERCENT
        ? String.fromCharCode(byte)
        : `%${byte.toString(16).toUpperCase().padStart(2, '0')}`;
  }
  return encoded;
}

/** Never fails: invalid escapes stay as they are. */
export function decodeStatusMessage(encoded: string): string {
  if (!encoded.includes('%')) return encoded;
  const bytes: number[] = [];
  for (let at = 0; at < encoded.length; ) {
    const escaped = /^%([0-9a-fA-F]{2})/.exec(encoded.slice(at, at + 3));
    bytes.push(escaped === null ? encoded.charCodeAt(at) & 0xff : Number.parseInt(escaped[1] ?? '', 16));
    at += escaped === null ? 1 : 3;
  }
  return Buffer.from(bytes).toString();
}

const PERCENT = 0x25;
