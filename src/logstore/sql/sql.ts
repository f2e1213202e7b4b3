/**
 * SQL with text and values kept apart. Text comes only from string literals in this code; data from a log
 * line, a request or a configuration is a value, and reaches the database as a parameter.
 *
 *     const since = sql`time >= ${dialect.timestamp(fromUnixMicro)}`;
 *     database.run([statement(sql`select body from log_records where ${since} limit ${100}`)], options);
 *
 * A fragment in a fragment becomes part of its text; anything else in it becomes a value.
 */
export interface Sql {
  /** One more part than values: the text before, between and after them. */
  readonly parts: readonly string[];
  readonly values: readonly SqlValue[];
}

/** The types of parameters and results: the same in every back end, and able to cross to another thread. */
export type SqlValue = string | number | boolean | null;

/** The form for a back end: `$1`, `$2` ... are the values. */
export interface SqlStatement {
  readonly text: string;
  readonly values: readonly SqlValue[];
}

export function sql(literals: TemplateStringsArray, ...inserted: readonly (Sql | SqlValue)[]): Sql {
  const parts = [literals[0] ?? ''];
  const values: SqlValue[] = [];
  const write = (text: string) => {
    parts[parts.length - 1] += text;
  };
  inserted.forEach((each, index) => {
    if (isSql(each)) {
      write(each.parts[0] ?? '');
      each.values.forEach((value, at) => {
        values.push(value);
        parts.push(each.parts[at + 1] ?? '');
      });
    } else {
      values.push(each);
      parts.push('');
    }
    write(literals[index + 1] ?? '');
  });
  return { parts, values };
}

/** Concatenates fragments with `between` between them. */
export function join(fragments: readonly Sql[], between: Sql): Sql {
  const [first, ...rest] = fragments;
  if (first === undefined) return sql``;
  return rest.reduce((all, each) => sql`${all}${between}${each}`, first);
}

export function statement({ parts, values }: Sql): SqlStatement {
  const text = parts.reduce((all, part, index) => (index === 0 ? part : `${all}$${index}${part}`), '');
  return { text, values };
}

function isSql(value: Sql | SqlValue): value is Sql {
  return typeof value === 'object' && value !== null;
}
