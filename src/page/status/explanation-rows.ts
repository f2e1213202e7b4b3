import type { FileExplanation } from '../api/status.ts';
import { byteSize, wholeNumber } from '../text/numbers.ts';

export type ExplanationRow = readonly [name: string, value: string];

/** An explanation as rows: nested fields are named with their parent, amounts have units. */
export function explanationRows(explanation: FileExplanation): readonly ExplanationRow[] {
  const { status, listeners, ...others } = explanation;
  const rows = [others, status, listeners].flatMap((fields) => rowsOf('', '', fields));
  // The other rows show it.
  return rows.filter(([name]) => name !== 'kind');
}

function rowsOf(parent: string, key: string, value: unknown): readonly ExplanationRow[] {
  if (value === null || value === undefined) return [];
  const name = `${parent} ${words(key)}`.trim();
  if (Array.isArray(value)) return value.flatMap((item) => rowsOf(parent, key, item));
  if (typeof value === 'object')
    return Object.entries(value).flatMap(([field, item]) => rowsOf(name, field, item));
  return [[name, valueText(key, value)]];
}

/** `acceptedBytes`: `accepted`, because the value has the unit. */
function words(key: string): string {
  return key.replace(/Bytes$|Ms$/, '').replace(/[A-Z]/g, (letter) => ` ${letter.toLowerCase()}`);
}

function valueText(key: string, value: unknown): string {
  if (typeof value !== 'number') return String(value);
  if (key.endsWith('Bytes')) return `${byteSize(value)} (${wholeNumber(value)} bytes)`;
  return key.endsWith('Ms') ? `${wholeNumber(value / 1000)} s` : wholeNumber(value);
}
