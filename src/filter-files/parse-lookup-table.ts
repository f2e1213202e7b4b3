import type { LookupTable } from '../filters/filter-tables.ts';
import { csvValues } from '../filters/functions/csv.ts';

/**
 * Reads a table: CSV with a line of names, or a JSON object. The first column is the key; of equal keys, the
 * last one counts. Returns the reason as a text if the table cannot be read.
 *
 *     host,team,city                  {"web-1": {"team": "shop"}, "db-1": {"team": "data"}}
 *     web-1,shop,Paris                {"web-1": "shop", "db-1": "data"}          (the column `value`)
 */
export function parseLookupTable(file: string, text: string): LookupTable | string {
  return file.endsWith('.json') ? jsonTable(text) : csvTable(text);
}

function csvTable(text: string): LookupTable | string {
  const [head, ...lines] = text
    .replace(/^\ufeff/, '')
    .split(/\r?\n/)
    .filter((line) => line.trim() !== '');
  if (head === undefined) return 'it is empty';
  const columns = csvValues(head, ',').map((each) => each.trim());
  if (columns.length < 2) return 'expected at least two columns, such as host,team';
  const rows = new Map<string, readonly string[]>();
  for (const line of lines) {
    const values = csvValues(line, ',');
    rows.set(values[0] ?? '', values);
  }
  return { columns, rows };
}

function jsonTable(text: string): LookupTable | string {
  let parsed: unknown;
  try {
    parsed = JSON.parse(text);
  } catch {
    return 'it is not JSON';
  }
  if (typeof parsed !== 'object' || parsed === null || Array.isArray(parsed)) return 'expected a JSON object';
  const entries = Object.entries(parsed as Readonly<Record<string, unknown>>);
  const rows = entries.map(([key, value]) => [key, isObject(value) ? value : { value }] as const);
  const names = [...new Set(rows.flatMap(([, row]) => Object.keys(row)))];
  if (names.length === 0) return 'it is empty';
  return {
    columns: ['key', ...names],
    rows: new Map(rows.map(([key, row]) => [key, [key, ...names.map((name) => shown(row[name]))]])),
  };
}

function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function shown(value: unknown): string {
  if (value === undefined) return '';
  return typeof value === 'string' ? value : JSON.stringify(value);
}
