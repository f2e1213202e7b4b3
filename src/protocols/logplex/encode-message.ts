import { fitText, type LongText } from '../syslog/fit-text.ts';
import { MAX_MESSAGE_BYTES } from './limits.ts';
import { type MessageHeader, messageHeader } from './message-header.ts';

/** Encodes a message as frames: `LENGTH <134>1 TIME HOST TOKEN PROCID - - TEXT`, with the length in bytes. */
export function encodeMessage(message: LogplexMessage, longText: LongText): EncodedMessage {
  const header = messageHeader(message);
  const { parts, missingBytes } = fitText(message.text, MAX_MESSAGE_BYTES - header.length, longText);
  return { frames: parts.map((part) => frame(header, part)), missingBytes };
}

export interface LogplexMessage extends MessageHeader {
  /** Any text; line ends have no meaning, since the length marks the end. */
  readonly text: string;
}

export interface EncodedMessage {
  /** Octet-counted frames to write one after another: several if the text was too long for one. */
  readonly frames: readonly Uint8Array[];
  readonly missingBytes: number;
}

/** The header is ASCII: as many bytes as characters. */
function frame(header: string, text: Uint8Array): Uint8Array {
  const head = `${header.length + text.length} ${header}`;
  const bytes = Buffer.allocUnsafe(head.length + text.length);
  bytes.write(head, 'latin1');
  bytes.set(text, head.length);
  return bytes;
}
