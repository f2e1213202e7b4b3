/** `octet`: a length before each message (RFC 6587, RFC 5425). `lf`: a line feed after each message. */
export type SyslogFraming = 'octet' | 'lf';

const LF = 0x0a;
const LINE_END = Buffer.from('\n');

/** The message as a frame of a stream. */
export function frameMessage(message: Uint8Array, framing: SyslogFraming): Uint8Array {
  if (framing === 'octet') return Buffer.concat([Buffer.from(`${message.length} `), message]);
  return Buffer.concat([message.some(endsLine) ? escapeLineEnds(message) : message, LINE_END]);
}

/** LF would end the frame; some receivers also end it at NUL, and remove a CR before the LF. */
function endsLine(byte: number): boolean {
  return byte === LF || byte === 0x0d || byte === 0;
}

/** `#012` for a line feed: the number in octal digits, as rsyslog writes control characters. */
function escapeLineEnds(message: Uint8Array): Uint8Array {
  const text = Buffer.from(message).toString('latin1');
  return Buffer.from(
    text.replace(/[\n\r\0]/g, (found) => `#${found.charCodeAt(0).toString(8).padStart(3, '0')}`),
    'latin1',
  );
}
