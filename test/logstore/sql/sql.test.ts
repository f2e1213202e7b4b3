import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { join, type Sql, type SqlValue, sql, statement } from '../../../src/logstore/sql/sql.ts';

describe('a statement', () => {
  test('has numbered parameters, and the values separately', () => {
    expect(statement(sql`select body from logs where host = ${'h'} and position > ${7}`)).toEqual({
      text: 'select body from logs where host = $1 and position > $2',
      values: ['h', 7],
    });
  });

  test('may be only text, only values, or empty', () => {
    expect(statement(sql`select 1`)).toEqual({ text: 'select 1', values: [] });
    expect(statement(sql`${null}${true}`)).toEqual({ text: '$1$2', values: [null, true] });
    expect(statement(sql``)).toEqual({ text: '', values: [] });
  });

  test('counts beyond nine', () => {
    const values = Array.from({ length: 120 }, (_, index) => index);
    const { text, values: bound } = statement(
      join(
        values.map((value) => sql`${value}`),
        sql`, `,
      ),
    );
    expect(text.split(', ')).toEqual(values.map((value) => `$${value + 1}`));
    expect(bound).toEqual(values);
  });

  test('never contains a value in its text', () => {
    const hostile = "'; drop table log_records; -- $1 $2";
    const { text, values } = statement(sql`select ${hostile}, ${hostile}`);
    expect(text).toBe('select $1, $2');
    expect(values).toEqual([hostile, hostile]);
  });
});

describe('a fragment in a fragment', () => {
  test('becomes part of its text, and its values keep their order', () => {
    const inner = sql`a = ${1} or b = ${2}`;
    const outer = sql`where (${inner}) and c = ${3} and (${inner})`;
    expect(statement(outer)).toEqual({
      text: 'where (a = $1 or b = $2) and c = $3 and (a = $4 or b = $5)',
      values: [1, 2, 3, 1, 2],
    });
  });

  test('may be at the beginning, at the end, and next to another', () => {
    const a = sql`a${1}`;
    expect(statement(sql`${a}${a}`)).toEqual({ text: 'a$1a$2', values: [1, 1] });
    expect(statement(sql`${sql``}x${sql``}`)).toEqual({ text: 'x', values: [] });
  });

  test('is not changed by the fragment that it becomes part of', () => {
    const inner = sql`a = ${1}`;
    statement(sql`${inner} and ${inner}`);
    expect(inner).toEqual({ parts: ['a = ', ''], values: [1] });
  });
});

describe('join', () => {
  test('joins with text between, not around', () => {
    const between = sql` and `;
    expect(statement(join([], between)).text).toBe('');
    expect(statement(join([sql`a`], between)).text).toBe('a');
    expect(statement(join([sql`a = ${1}`, sql`b`, sql`c = ${2}`], between))).toEqual({
      text: 'a = $1 and b and c = $2',
      values: [1, 2],
    });
  });
});

/** A fragment as a tree, made into Sql, and what should come out of it. */
type Tree = string | { readonly value: SqlValue } | readonly Tree[];

function sqlOf(tree: Tree): Sql {
  if (typeof tree === 'string') return { parts: [tree], values: [] };
  if ('value' in tree) return sql`${tree.value}`;
  return (tree as readonly Tree[]).reduce<Sql>((all, each) => sql`${all}${sqlOf(each)}`, sql``);
}

function leaves(tree: Tree): readonly (string | { readonly value: SqlValue })[] {
  return Array.isArray(tree) ? (tree as Tree[]).flatMap(leaves) : [tree as string | { value: SqlValue }];
}

test('keeps texts and values in order for any nesting of fragments', () => {
  const value = fc.oneof(fc.string(), fc.integer(), fc.boolean(), fc.constant(null));
  const { tree } = fc.letrec<{ tree: Tree }>((tie) => ({
    tree: fc.oneof(
      { maxDepth: 4 },
      fc.stringMatching(/^[a-z ]{0,5}$/),
      fc.record({ value }),
      fc.array(tie('tree'), { maxLength: 5 }),
    ),
  }));
  fc.assert(
    fc.property(tree, (each) => {
      const expected = leaves(each);
      let count = 0;
      const text = expected.map((leaf) => (typeof leaf === 'string' ? leaf : `$${++count}`)).join('');
      const values = expected.flatMap((leaf) => (typeof leaf === 'string' ? [] : [leaf.value]));
      expect(statement(sqlOf(each))).toEqual({ text, values });
    }),
  );
});
