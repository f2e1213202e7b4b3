import { z } from 'zod';
import { type LogEntry, logFilter, timeRange } from '../../logstore/logs/log-requests.ts';
import { escapeControls } from '../../runtime/logging/escape-controls.ts';

export const MAX_EXPORTED = 1_000_000;
export const DEFAULT_EXPORTED = 100_000;

export const exportRequest = z.strictObject({
  ...timeRange.shape,
  ...logFilter.shape,
  format: z.enum(['ndjson', 'csv', 'text']).default('ndjson'),
  limit: z
    .int()
    .min(1)
    .max(MAX_EXPORTED)
    .optional()
    .meta({ description: `Maximum number of records. Default: ${DEFAULT_EXPORTED}.` }),
});
export type ExportRequest = z.infer<typeof exportRequest>;

/** The text of an export. */
export interface ExportFormat {
  readonly contentType: string;
  /** Of a file name. */
  readonly extension: string;
  /** The text before the first entry. */
  readonly head: string;
  entry(entry: LogEntry): string;
  /** The text after an export that is not whole. */
  marker(problem: ExportProblem): string;
}

export interface ExportProblem {
  readonly code: string;
  readonly message: string;
}

/** A spreadsheet computes a cell that begins like a formula: log text must stay text. */
const FORMULA = /^[=+\-@\t\r]/;
const NEEDS_QUOTES = /[",\r\n]/;

const COLUMNS = [
  'time',
  'severity',
  'host',
  'service',
  'source',
  'format',
  'body',
  'attributes',
  'stream',
  'position',
] as const;

const NDJSON: ExportFormat = {
  contentType: 'application/x-ndjson; charset=utf-8',
  extension: 'ndjson',
  head: '',
  entry: (entry) => `${JSON.stringify(entry)}\n`,
  marker: ({ code, message }) => `${JSON.stringify({ error: { code, message } })}\n`,
};

/** RFC 4180. */
const CSV: ExportFormat = {
  contentType: 'text/csv; charset=utf-8; header=present',
  extension: 'csv',
  head: row(COLUMNS),
  entry: (entry) => row(COLUMNS.map((column) => textOf(entry[column]))),
  marker: (problem) => row(COLUMNS.map((_column, at) => (at === 0 ? markerText(problem) : ''))),
};

const TEXT: ExportFormat = {
  contentType: 'text/plain; charset=utf-8',
  extension: 'txt',
  head: '',
  entry: ({ time, severity, host, service, body }) =>
    `${[time, severity ?? '-', host ?? '-', service ?? '-', body].map(escapeControls).join(' ')}\n`,
  marker: (problem) => `${markerText(problem)}\n`,
};

export const EXPORT_FORMATS: Readonly<Record<ExportRequest['format'], ExportFormat>> = {
  ndjson: NDJSON,
  csv: CSV,
  text: TEXT,
};

/** The media types, without parameters. */
export const EXPORT_TYPES: readonly string[] = Object.values(EXPORT_FORMATS).map(
  ({ contentType }) => contentType.split(';')[0] ?? '',
);

function row(cells: readonly string[]): string {
  return `${cells.map(cell).join(',')}\r\n`;
}

function cell(text: string): string {
  const safe = FORMULA.test(text) ? `'${text}` : text;
  return NEEDS_QUOTES.test(safe) ? `"${safe.replaceAll('"', '""')}"` : safe;
}

function textOf(value: LogEntry[keyof LogEntry]): string {
  if (value === null) return '';
  return typeof value === 'object' ? JSON.stringify(value) : String(value);
}

function markerText({ code, message }: ExportProblem): string {
  return `#error ${code}: ${message}`;
}
