import type { LogEntry } from '../../../logstore/logs/log-requests.ts';
import { cutToWidth, textWidth } from '../../output/text-width.ts';
import { jsonLine, sanitizeForTerminal } from '../terminal/sanitize-for-terminal.ts';
import type { Style, Terminal } from '../terminal/terminal.ts';
import { preciseTimeText } from '../terminal/time-text.ts';

/**
 *     2026-01-31T10:00:00.120Z ERROR web-1 shop  out of stock  item=4711 user.name=ann
 *
 * One line for each record, with any content, so that no record can look like two. On a terminal a body
 * of several lines is printed on several lines, each marked. Elsewhere attributes, if requested, follow as
 * JSON after a tab.
 */
export function logText(entry: LogEntry, { terminal, attributes }: LogTextOptions): string {
  const { paint } = terminal;
  const time = preciseTimeText(entry.time, terminal);
  const severity = (entry.severity ?? '-').toUpperCase().padEnd(SEVERITY_WIDTH);
  const origin = [entry.host, entry.service].flatMap((each) =>
    each === null ? [] : [sanitizeForTerminal(each)],
  );
  const where = origin.length === 0 ? '' : `${origin.join(' ')} `;
  const head = `${time} ${severity} ${where}`;
  const painted = `${paint(time, 'dim')} ${paint(severity, ...(STYLES[entry.severity ?? ''] ?? []))} ${paint(where, 'cyan')}`;
  if (!terminal.isTerminal) {
    const json = attributes ? `\t${jsonLine(entry.attributes).trimEnd()}` : '';
    return `${head}${sanitizeForTerminal(entry.body)}${json}\n`;
  }
  const [first = '', ...rest] = entry.body
    .replace(/(?:\r?\n)+$/, '')
    .split(/\r?\n/)
    .map(sanitizeForTerminal);
  const folded = attributes ? '' : foldedAttributes(entry, head + first, terminal);
  const lines = [
    `${painted}${first}${folded}`,
    ...rest.map((line) => `${paint('  |', 'dim')} ${line}`),
    ...(attributes ? attributeLines(entry, terminal) : []),
  ];
  return lines.map((line) => `${line}\n`).join('');
}

export interface LogTextOptions {
  readonly terminal: Terminal;
  /** Show all attributes, instead of those that fit into the line (on a terminal) or none (elsewhere). */
  readonly attributes: boolean;
}

const STYLES: Readonly<Record<string, readonly Style[]>> = {
  trace: ['dim'],
  debug: ['dim'],
  info: ['green'],
  warn: ['yellow'],
  error: ['red'],
  fatal: ['bold', 'red'],
};

const SEVERITY_WIDTH = 5;
/** With less room than this, the beginning of an attribute is not useful. */
const MIN_ATTRIBUTE_COLUMNS = 14;
const GAP = '  ';
/** After a longer text attributes would not be noticed, and measuring the text would take time. */
const LONG_RECORD = 10_000;

/** The attributes that fit after the record, in the rest of its last row on the terminal. */
function foldedAttributes({ attributes }: LogEntry, before: string, { columns, paint }: Terminal): string {
  if (before.length > LONG_RECORD || Object.keys(attributes).length === 0) return '';
  const room = (columns - (textWidth(before) % columns)) % columns;
  if (room < MIN_ATTRIBUTE_COLUMNS) return '';
  let text = '';
  for (const [key, value] of Object.entries(attributes)) {
    text += `${text === '' ? '' : ' '}${valueText(key, columns)}=${valueText(value, columns)}`;
    if (text.length > columns * 2) break;
  }
  return `${GAP}${paint(cutToWidth(text, room - GAP.length), 'dim')}`;
}

function attributeLines({ attributes, source, format }: LogEntry, { paint }: Terminal): readonly string[] {
  const all = [...(source === null ? [] : [['source', source] as const]), ['format', format] as const];
  return [...all, ...Object.entries(attributes)].map(
    ([key, value]) => `    ${paint(`${sanitizeForTerminal(key)}:`, 'dim')} ${valueText(value)}`,
  );
}

function valueText(value: unknown, most = Number.POSITIVE_INFINITY): string {
  const text = typeof value === 'string' ? value : JSON.stringify(value);
  return sanitizeForTerminal(text.slice(0, most));
}
