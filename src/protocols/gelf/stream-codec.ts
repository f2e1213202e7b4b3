export type GelfDelimiter = 'null' | 'newline';

const DELIMITER_BYTE = { null: 0x00, newline: 0x0a } as const;

/**
 * Presentation for streams: the JSON text and one delimiter byte (Graylog discards bytes after the last
 * delimiter). Without compression and chunks, which the protocol does not have for streams. JSON escapes NUL
 * and line feed in texts, so neither byte occurs in the message.
 */
export function frameMessage(json: Uint8Array, delimiter: GelfDelimiter): Uint8Array {
  const frame = new Uint8Array(json.length + 1);
  frame.set(json);
  frame[json.length] = DELIMITER_BYTE[delimiter];
  return frame;
}
