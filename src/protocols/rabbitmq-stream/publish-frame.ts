import { STREAM_KEYS } from './frames.ts';

/** A message of a stream, and its number. The broker drops a message whose number is not above the last one. */
export interface NumberedMessage {
  readonly publishingId: bigint;
  /** An AMQP 1.0 message. */
  readonly content: Uint8Array;
}

const HEADER_BYTES = 13;
/** Of each message: its number and its length. */
const ENTRY_BYTES = 12;

/** The size of a frame with messages of these sizes. */
export function publishFrameBytes(sizes: readonly number[]): number {
  return sizes.reduce((sum, bytes) => sum + ENTRY_BYTES + bytes, HEADER_BYTES);
}

export function publishFrame(publisher: number, messages: readonly NumberedMessage[]): Buffer {
  const bytes = publishFrameBytes(messages.map(({ content }) => content.length));
  const frame = Buffer.allocUnsafe(bytes);
  frame.writeUInt32BE(bytes - 4, 0);
  frame.writeUInt16BE(STREAM_KEYS.publish, 4);
  frame.writeUInt16BE(1, 6);
  frame.writeUInt8(publisher, 8);
  frame.writeUInt32BE(messages.length, 9);
  let at = HEADER_BYTES;
  for (const { publishingId, content } of messages) {
    frame.writeBigUInt64BE(publishingId, at);
    frame.writeUInt32BE(content.length, at + 8);
    frame.set(content, at + ENTRY_BYTES);
    at += ENTRY_BYTES + content.length;
  }
  return frame;
}

/** Cuts messages into runs whose frames have at most `maxBytes`. Each message alone must fit. */
export function* framedRuns(
  messages: readonly NumberedMessage[],
  maxBytes: number,
): Generator<readonly NumberedMessage[]> {
  let run: NumberedMessage[] = [];
  let bytes = HEADER_BYTES;
  for (const message of messages) {
    const size = ENTRY_BYTES + message.content.length;
    if (run.length > 0 && bytes + size > maxBytes) {
      yield run;
      run = [];
      bytes = HEADER_BYTES;
    }
    run.push(message);
    bytes += size;
  }
  if (run.length > 0) yield run;
}
