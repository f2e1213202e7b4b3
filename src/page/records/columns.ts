import { fieldValue } from './entry-fields.ts';
import type { LogEntry } from './log-entry.ts';

export interface Column {
  /** A property of records. */
  readonly property: string;
  /** undefined: the rest of the width. */
  readonly width: number | undefined;
}

export const MIN_WIDTH = 36;
export const MAX_WIDTH = 1200;
const MIN_REST_WIDTH = 220;

const WIDTHS: Readonly<Record<string, number>> = {
  time: 190,
  observed_time: 190,
  severity: 76,
  'host.name': 128,
  'service.name': 128,
  source: 180,
  format: 80,
};
const DEFAULT_WIDTH = 140;

const WIDE: readonly Column[] = [
  { property: 'time', width: 190 },
  { property: 'severity', width: 76 },
  { property: 'host.name', width: 112 },
  { property: 'service.name', width: 112 },
  { property: 'body', width: undefined },
];
const NARROW: readonly Column[] = [
  { property: 'time', width: 106 },
  { property: 'severity', width: 36 },
  { property: 'body', width: undefined },
];

/** `time:180,host.name:120,body`. Without the parameter: what fits the screen. */
export function columnsOf(
  parameter: string | undefined,
  { isNarrow }: { readonly isNarrow: boolean },
): readonly Column[] {
  const columns = (parameter ?? '').split(/,(?![^[]*\])/).flatMap((part) => {
    const [, property = '', width] = /^(.*?)(?::(\d+))?$/s.exec(part.trim()) ?? [];
    return property === '' ? [] : [{ property, width: widthOf(property, width) }];
  });
  if (columns.length > 0) return columns.filter(isFirst);
  return isNarrow ? NARROW : WIDE;
}

function isFirst({ property }: Column, at: number, all: readonly Column[]): boolean {
  return all.findIndex((each) => each.property === property) === at;
}

function widthOf(property: string, width: string | undefined): number | undefined {
  if (width !== undefined) return clamped(Number(width));
  return property === 'body' ? undefined : (WIDTHS[property] ?? DEFAULT_WIDTH);
}

const clamped = (width: number) => Math.min(Math.max(Math.round(width), MIN_WIDTH), MAX_WIDTH);

export function formatColumns(columns: readonly Column[]): string {
  return columns
    .map(({ property, width }) => (width === undefined ? property : `${property}:${clamped(width)}`))
    .join(',');
}

export function withWidth(columns: readonly Column[], property: string, width: number): readonly Column[] {
  return columns.map((each) => (each.property === property ? { property, width: clamped(width) } : each));
}

/** Before the body, which has the rest of the width. The last column cannot be removed. */
export function toggleColumn(columns: readonly Column[], property: string): readonly Column[] {
  const without = columns.filter((each) => each.property !== property);
  if (without.length < columns.length) return without.length === 0 ? columns : without;
  const body = columns.findIndex((each) => each.property === 'body');
  return columns.toSpliced(body === -1 ? columns.length : body, 0, {
    property,
    width: widthOf(property, undefined),
  });
}

export function movedColumn(columns: readonly Column[], property: string, by: -1 | 1): readonly Column[] {
  const at = columns.findIndex((each) => each.property === property);
  const [column, neighbour] = [columns[at], columns[at + by]];
  if (column === undefined || neighbour === undefined) return columns;
  return columns.with(at, neighbour).with(at + by, column);
}

/** The list scrolls sideways below this width. */
export function minWidthOf(columns: readonly Column[]): number {
  return columns.reduce((sum, { width }) => sum + (width ?? MIN_REST_WIDTH), 0);
}

/** Columns that have a value in one of the entries; without entries, all of them. */
export function withoutEmptyColumns(
  columns: readonly Column[],
  entries: readonly LogEntry[],
): readonly Column[] {
  if (entries.length === 0) return columns;
  return columns.filter(({ property }) => entries.some((entry) => fieldValue(entry, property) !== undefined));
}
