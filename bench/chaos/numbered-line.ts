/**
 * Line `number` of a chaos log: `<log> <number> <payload>\n`. The payload is derived from the other two, so
 * that a line can be verified without being stored: any damage, and any concatenated line, is detected.
 */
export function numberedLine(log: string, number: number): string {
  const head = `${log} ${String(number).padStart(9, '0')} `;
  return `${head}${payload(log.length * 7919 + number, UNIFORM_LOGS.test(log))}\n`;
}

/** All lines of this log have the same length, so its generations can have the same size. */
export const UNIFORM_LOG = 'uniform';
/** A copy of it ends with a digit. */
const UNIFORM_LOGS = /^unifor[m\d]$/;
const UNIFORM_PAYLOAD_LENGTH = 100;

export interface LineHead {
  readonly log: string;
  readonly number: number;
}

/** undefined: not a line of ours, or a damaged one. Without the line ending. */
export function parseNumberedLine(line: string): LineHead | undefined {
  const [log = '', digits = ''] = line.split(' ', 2);
  if (!/^\d{9}$/.test(digits)) return undefined;
  const number = Number(digits);
  return numberedLine(log, number) === `${line}\n` ? { log, number } : undefined;
}

/** Nearly always short; a few are as long as a stack trace. */
function payload(seed: number, isUniform: boolean): string {
  const mixed = Math.imul(seed ^ (seed >>> 13), 0x5bd1e995) >>> 0;
  const varied = mixed % 50 === 0 ? 2000 + (mixed % 3000) : 20 + (mixed % 180);
  const length = isUniform ? UNIFORM_PAYLOAD_LENGTH : varied;
  const unit = mixed.toString(36);
  return unit.repeat(Math.ceil(length / unit.length)).slice(0, length);
}
