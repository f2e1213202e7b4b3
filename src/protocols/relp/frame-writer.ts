/** One frame: `TXNR SP COMMAND SP DATALEN [SP DATA] LF`. */
export function encodeRelpFrame(txnr: number, command: string, data: Uint8Array | string = ''): Buffer {
  const bytes = typeof data === 'string' ? Buffer.from(data) : data;
  const head = `${txnr} ${command} ${bytes.length}${bytes.length === 0 ? '' : ' '}`;
  const frame = Buffer.allocUnsafe(head.length + bytes.length + 1);
  const at = frame.write(head, 'latin1');
  frame.set(bytes, at);
  frame[frame.length - 1] = LF;
  return frame;
}

/** The server's notice that it closes the connection; it has no answer. */
export const SERVER_CLOSE = '0 serverclose 0\n';

/** The answer to a message that is stored. */
export function okAnswer(txnr: number): string {
  return `${txnr} rsp 6 200 OK\n`;
}

const LF = 0x0a;
