import { jsonText } from '../output/json-text.ts';
import { printable } from '../output/text-table.ts';
import type { TriedValues } from './tried-values.ts';

/** A record before and after a filter. */
export interface FilterTry {
  readonly body: string;
  readonly before: TriedValues;
  /** None: it is dropped. */
  readonly after: readonly TriedPart[];
  readonly isChanged: boolean;
  readonly lines: readonly number[];
  /** The emitters that `route` named. */
  readonly routes: readonly string[];
}

export interface TriedPart {
  /** The number of a part of a split record, from 0. */
  readonly part?: number | undefined;
  readonly values: TriedValues;
}

/** The body of the record, what the filter has changed, and the lines that ran. */
export function tryText({ body, before, after, isChanged, lines, routes }: FilterTry): string {
  const outcome =
    after.length === 0
      ? 'dropped'
      : after.length > 1
        ? `split into ${after.length}`
        : isChanged
          ? 'changed'
          : 'unchanged';
  const ran = lines.length === 0 ? '' : `, lines ${lines.join(' ')}`;
  const route = routes.length === 0 ? '' : `, routed to ${routes.map(printable).join(', ')}`;
  const changes = isChanged
    ? after.flatMap((each) => [...partTitle(each), ...differences(before, each.values)])
    : [];
  return [printable(body), `  ${outcome}${ran}${route}`, ...changes.map((each) => `  ${each}`), ''].join(
    '\n',
  );
}

/** One line of JSON with the record before and after. */
export function jsonTry(
  { before, after }: { readonly before: unknown; readonly after: readonly unknown[] },
  { isChanged, lines, routes }: Pick<FilterTry, 'isChanged' | 'lines' | 'routes'>,
): string {
  return `${jsonText({ before, after, changed: isChanged, lines, routes })}\n`;
}

function partTitle({ part }: TriedPart): readonly string[] {
  return part === undefined ? [] : [`part ${part}`];
}

function differences(old: TriedValues, now: TriedValues): readonly string[] {
  const names = [...new Set([...old.keys(), ...now.keys()])];
  return names.flatMap((name) => {
    const [from, to] = [old.get(name), now.get(name)];
    if (from === to) return [];
    if (from === undefined) return [`+ ${printable(name)} = ${printable(to ?? '')}`];
    if (to === undefined) return [`- ${printable(name)} = ${printable(from)}`];
    return [`~ ${printable(name)} = ${printable(from)} -> ${printable(to)}`];
  });
}
