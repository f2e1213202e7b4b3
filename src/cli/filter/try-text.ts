import { formatRfc3339 } from '../../formats/rfc3339.ts';
import type { AttributeValue, LogRecord } from '../../records/log-record.ts';
import { printable } from '../output/text-table.ts';

/** A record before and after a filter. */
export interface FilterTry {
  readonly before: LogRecord;
  /** None: it is dropped. */
  readonly after: readonly LogRecord[];
  readonly isChanged: boolean;
  readonly lines: readonly number[];
  /** The emitters that `route` named. */
  readonly routes: readonly string[];
}

/** The body of the record, what the filter has changed, and the lines that ran. */
export function tryText({ before, after, isChanged, lines, routes }: FilterTry): string {
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
    ? after.flatMap((record) => [...partTitle(record), ...differences(before, record)])
    : [];
  return [
    printable(before.body),
    `  ${outcome}${ran}${route}`,
    ...changes.map((each) => `  ${each}`),
    '',
  ].join('\n');
}

function partTitle({ part }: LogRecord): readonly string[] {
  return part === undefined ? [] : [`part ${part}`];
}

function differences(before: LogRecord, after: LogRecord): readonly string[] {
  const [old, now] = [valuesOf(before), valuesOf(after)];
  const names = [...new Set([...old.keys(), ...now.keys()])];
  return names.flatMap((name) => {
    const [from, to] = [old.get(name), now.get(name)];
    if (from === to) return [];
    if (from === undefined) return [`+ ${printable(name)} = ${printable(to ?? '')}`];
    if (to === undefined) return [`- ${printable(name)} = ${printable(from)}`];
    return [`~ ${printable(name)} = ${printable(from)} -> ${printable(to)}`];
  });
}

function valuesOf(record: LogRecord): ReadonlyMap<string, string> {
  const { timeUnixNano, severityNumber, severityText, body, attributes } = record;
  const own: [string, AttributeValue | undefined][] = [
    ['time', timeUnixNano === undefined ? undefined : formatRfc3339(timeUnixNano)],
    ['severity', severityNumber],
    ['severity_text', severityText],
    ['body', body],
    ...attributes,
  ];
  return new Map(
    own.flatMap(([name, value]) => (value === undefined ? [] : [[name, JSON.stringify(value)]])),
  );
}
