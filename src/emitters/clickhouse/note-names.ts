import { COLUMN_INDEX } from '../../formats/record-columns.ts';
import { isOriginColumn, type LogRow } from '../../logstore/log-row.ts';
import { NOTED_KEYS } from '../../logstore/own-names.ts';
import type { LogRecord } from '../../records/log-record.ts';

/** Adds the attributes that have the name of a column, and are not in that column: see `logstore/own-names.ts`. */
export function noteNames(of: NamedAttributes, names: Set<string>): void {
  if ('resource' in of) {
    for (const key of of.resource.keys()) if (NOTED_KEYS.has(key)) names.add(key);
    return;
  }
  const { row, record } = of;
  if (row.attributes === null) return;
  for (const [key, value] of record.attributes) {
    if (!NOTED_KEYS.has(key) || isOriginColumn(key, value)) continue;
    const index = COLUMN_INDEX.get(key);
    if (index === undefined || (row.columns[index] ?? null) === null) names.add(key);
  }
}

type NamedAttributes =
  | { readonly resource: ReadonlyMap<string, string> }
  | { readonly row: LogRow; readonly record: LogRecord };
