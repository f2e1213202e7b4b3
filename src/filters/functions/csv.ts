import type { AttributeValue } from '../../records/log-record.ts';
import { type FilterFunction, FROM, PREFIX } from './filter-function.ts';
import { fieldsOperation } from './pairs.ts';

export const csv: FilterFunction = {
  name: 'csv',
  usage: 'csv("column", ..., from = VALUE, separator = ",", prefix = "p.")',
  values: [1, 1000],
  named: [FROM, PREFIX, 'separator'],
  compile: (call) => {
    const columns = Array.from({ length: call.count }, (_, index) =>
      call.text(index, 'the name of a column'),
    );
    const separator = call.namedText('separator') ?? ',';
    if (separator.length !== 1) call.fail('separator is one character');
    return fieldsOperation(call, 'fewer columns than names', (text) => {
      const values = csvValues(text, separator);
      if (values.length < columns.length) return undefined;
      const fields = new Map<string, AttributeValue>();
      for (const [at, name] of columns.entries()) if (name !== '') fields.set(name, values[at] ?? '');
      return fields;
    });
  },
};

/** The values of one line; in quotes, `""` is one quote. */
export function csvValues(text: string, separator: string): readonly string[] {
  const values: string[] = [];
  let at = 0;
  for (;;) {
    const [value, end] =
      text[at] === '"' ? quotedValue(text, at + 1, separator) : bareValue(text, at, separator);
    values.push(value);
    if (end >= text.length) return values;
    at = end + 1;
  }
}

function bareValue(text: string, begin: number, separator: string): readonly [value: string, end: number] {
  const found = text.indexOf(separator, begin);
  const end = found < 0 ? text.length : found;
  return [text.slice(begin, end), end];
}

function quotedValue(text: string, begin: number, separator: string): readonly [value: string, end: number] {
  let close = text.indexOf('"', begin);
  while (close >= 0 && text[close + 1] === '"') close = text.indexOf('"', close + 2);
  if (close < 0) return [text.slice(begin).replaceAll('""', '"'), text.length];
  const found = text.indexOf(separator, close + 1);
  return [text.slice(begin, close).replaceAll('""', '"'), found < 0 ? text.length : found];
}
