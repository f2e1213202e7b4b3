import { MAX_TXNR, nextTxnr } from './relp-limits.ts';

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

/** The answers to messages that are stored. Their transaction numbers follow each other. */
export function okAnswers(firstTxnr: number, count: number): Buffer {
  const answers = Buffer.allocUnsafe(count * (MAX_TXNR_DIGITS + OK_ANSWER.length));
  let at = 0;
  let txnr = firstTxnr;
  for (let answer = 0; answer < count; answer++) {
    at = writeNumber(answers, at, txnr);
    for (let index = 0; index < OK_ANSWER.length; index++) answers[at++] = OK_ANSWER[index] ?? 0;
    txnr = nextTxnr(txnr);
  }
  return answers.subarray(0, at);
}

/** Returns the offset after the digits. */
function writeNumber(bytes: Uint8Array, at: number, number: number): number {
  let digits = 1;
  for (let rest = number; rest >= 10; rest = Math.floor(rest / 10)) digits++;
  let rest = number;
  for (let index = at + digits - 1; index >= at; index--) {
    bytes[index] = ZERO + (rest % 10);
    rest = Math.floor(rest / 10);
  }
  return at + digits;
}

const OK_ANSWER = Buffer.from(' rsp 6 200 OK\n');
const MAX_TXNR_DIGITS = String(MAX_TXNR).length;
const ZERO = 0x30;
const LF = 0x0a;
