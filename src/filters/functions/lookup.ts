import { nearestName } from '../../runtime/configuration/unknown-variables.ts';
import { elementsOf, type FilterValue, textOf } from '../filter-value.ts';
import type { FilterFunction } from './filter-function.ts';

/** The value of a column in the row of a table that begins with a value. */
export const lookup: FilterFunction = {
  name: 'lookup',
  usage: 'lookup("hosts.csv", VALUE, "column", default = "none")',
  values: [2, 3],
  named: ['default'],
  compile: (call) => {
    const file = call.text(0, 'the name of a file');
    const table = call.tables.lookup(file);
    if (typeof table === 'string') return call.fail(`cannot read the table ${file}: ${table}`, 0);
    const value = call.value(1);
    const [, first = ''] = table.columns;
    const column = call.count > 2 ? call.text(2, 'the name of a column') : first;
    const at = table.columns.indexOf(column);
    if (at < 1) {
      const near = nearestName(column, table.columns.slice(1));
      const hint =
        near === undefined ? `; it has ${table.columns.slice(1).join(', ')}` : `; did you mean ${near}?`;
      return call.fail(`the table ${file} has no column ${JSON.stringify(column)}${hint}`, call.count - 1);
    }
    const otherwise = call.named('default');
    const find = (each: FilterValue) => table.rows.get(textOf(each) ?? '')?.[at];
    return {
      kind: 'value',
      read: (run) => {
        for (const each of elementsOf(value(run))) {
          const found = find(each);
          if (found !== undefined) return found;
        }
        return otherwise?.(run);
      },
    };
  },
};
