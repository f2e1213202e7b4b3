import type { LogEntry } from '../../../logstore/logs/log-requests.ts';
import { cutToWidth, textWidth } from '../../output/text-width.ts';
import { harmless, jsonLine } from '../terminal/harmless.ts';
import type { Style, Terminal } from '../terminal/terminal.ts';
import { preciseTimeText } from '../terminal/time-text.ts';

export interface LogTextOptions {
  readonly terminal: Terminal;
  /** All of them, instead of what fits into the line (on a terminal) or none (elsewhere). */
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
/** With less room than this, the beginning of an attribute says nothing. */
const MIN_ATTRIBUTE_COLUMNS = 14;
const GAP = '  ';
/** Nobody looks for attributes behind it; and measuring it would take its time. */
const LONG_RECORD = 10_000;

/**
 *     2026-01-31T10:00:00.120Z ERROR web-1 shop  out of stock  item=4711 user.name=ann
 *
 * One line for each record, whatever is in it, so that no record can look like two; a body of several lines is several
 * lines on a terminal, each marked. Elsewhere attributes, if asked for, are JSON behind a tab.
 */
export function logText(entry: LogEntry, { terminal, attributes }: LogTextOptions): string {
  const { paint } = terminal;
  const time = preciseTimeText(entry.time, terminal);
  const severity = (entry.severity ?? '-').toUpperCase().padEnd(SEVERITY_WIDTH);
  const origin = [entry.host, entry.service].flatMap((each) => (each === null ? [] : [harmless(each)]));
  const where = origin.length === 0 ? '' : `${origin.join(' ')} `;
  const head = `${time} ${severity} ${where}`;
  const painted = `${paint(time, 'dim')} ${paint(severity, ...(STYLES[entry.severity ?? ''] ?? []))} ${paint(where, 'cyan')}`;
  if (!terminal.isTerminal) {
    const json = attributes ? `\t${jsonLine(entry.attributes).trimEnd()}` : '';
    return `${head}${harmless(entry.body)}${json}\n`;
  }
  const [first = '', ...rest] = entry.body
    .replace(/(?:\r?\n)+$/, '')
    .split(/\r?\n/)
    .map(harmless);
  const folded = attributes ? '' : foldedAttributes(entry, head + first, terminal);
  const lines = [
    `${painted}${first}${folded}`,
    ...rest.map((line) => `${paint('  |', 'dim')} ${line}`),
    ...(attributes ? attributeLines(entry, terminal) : []),
  ];
  return lines.map((line) => `${line}\n`).join('');
}

/** What fits behind the record, in what its last row on the terminal leaves. */
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
    ([key, value]) => `    ${paint(`${harmless(key)}:`, 'dim')} ${valueText(value)}`,
  );
}

function valueText(value: unknown, most = Number.POSITIVE_INFINITY): string {
  const text = typeof value === 'string' ? value : JSON.stringify(value);
  return harmless(text.slice(0, most));
}
