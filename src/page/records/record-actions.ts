import { type FieldValue, hasCondition, toggleCondition } from '../query/conditions.ts';
import { formatAddress } from '../routing/address.ts';
import { address, navigate } from '../routing/location.ts';
import type { LogEntry } from './log-entry.ts';

/** The pages whose query conditions are added to; from other pages, the search is opened. */
const QUERY_PAGES = ['search', 'tail'];

export interface ConditionChange {
  readonly property: string;
  readonly value: FieldValue;
  readonly isExcluded: boolean;
}

/** Adds a condition to the query of the address; a second time, it removes it. */
export function changeCondition(condition: ConditionChange): void {
  const { path, parameters } = address.peek();
  const isQueryPage = QUERY_PAGES.includes(path[0] ?? 'search');
  const { open: _, ...kept } = parameters;
  const query = toggleCondition(isQueryPage ? (parameters.q ?? '') : '', condition);
  navigate({
    path: isQueryPage ? (path.length === 0 ? ['search'] : path) : ['search'],
    parameters: { ...kept, q: query },
  });
}

export function isInQuery(condition: ConditionChange): boolean {
  return hasCondition(address.value.parameters.q ?? '', condition);
}

/** The address of the record with its neighbours. */
export function recordHref({ stream, position }: Pick<LogEntry, 'stream' | 'position'>): string {
  const { utc } = address.value.parameters;
  return formatAddress({
    path: ['r', stream, String(position)],
    parameters: utc === undefined ? {} : { utc },
  });
}

/** A whole address for the clipboard. */
export function absoluteUrl(hash: string): string {
  return new URL(hash, window.location.href).href;
}

interface FocusedValue {
  readonly property: string;
  readonly value: FieldValue;
}

/** The value whose element has the focus: see `valueAttributes`. */
export function focusedValue(): FocusedValue | undefined {
  const element = document.activeElement?.closest<HTMLElement>('[data-property]');
  const { property, value } = element?.dataset ?? {};
  return property === undefined || value === undefined
    ? undefined
    : { property, value: JSON.parse(value) as FieldValue };
}

/** Marks an element as one that shows a value: the keys `f` and `x` include and exclude it. */
export function valueAttributes(property: string, value: FieldValue) {
  return { 'data-property': property, 'data-value': JSON.stringify(value) };
}
