import type { Expression, NumberTest, TextTest, ValueTest } from '../../expressions/expression.ts';
import type { Property } from '../../expressions/property.ts';
import { typeOf } from '../../expressions/value-test.ts';
import type { PatternNode } from '../../patterns/pattern-node.ts';
import { requiredLiteral } from '../../patterns/required-literal.ts';
import type { OwnNames } from '../own-names.ts';
import { ATTRIBUTES, broughtPaths, columnSql, prefixOf } from '../property-sql.ts';
import { join, type Sql, sql } from './sql.ts';
import type { AttributeTests, SqlDialect } from './sql-dialect.ts';

/**
 * An expression as a condition on a row of `log_records`; a boolean, or null for no. It selects the records
 * that `compileExpression` selects. Texts of people are parameters, never text of the statement. Patterns are
 * written again for the database: linear in DuckDB (RE2), and without back-references in PostgreSQL, where
 * the time limit of the query applies as well.
 *
 * `names`: the names that the store has noted, see `own-names.ts`. Throws UnsupportedExpressionError.
 */
export function expressionSql(dialect: SqlDialect, expression: Expression, names?: OwnNames): Sql {
  return conditionSql({ dialect, names }, expression, false);
}

/** The expression reads what a store does not have. `message`: for a person. */
export class UnsupportedExpressionError extends Error {
  override readonly name = 'UnsupportedExpressionError';
}

interface Store {
  readonly dialect: SqlDialect;
  readonly names: OwnNames | undefined;
}

/** `mustBeBoolean`: null is not good enough, since its negation is null, too. */
function conditionSql(store: Store, expression: Expression, mustBeBoolean: boolean): Sql {
  switch (expression.kind) {
    case 'and':
    case 'or': {
      const terms = expression.terms.map((term) => conditionSql(store, term, mustBeBoolean));
      return sql`(${join(terms, expression.kind === 'and' ? sql` and ` : sql` or `)})`;
    }
    case 'not':
      return sql`(not ${conditionSql(store, expression.term, true)})`;
    case 'constant':
      return expression.value ? sql`true` : sql`false`;
    case 'exists':
      return leafSql(testSql(store, expression.property, EXISTS), mustBeBoolean);
    case 'test':
      return leafSql(
        testSql(store, expression.property, testsOf(store.dialect, expression.test)),
        mustBeBoolean,
      );
  }
}

function leafSql(condition: Sql, mustBeBoolean: boolean): Sql {
  return mustBeBoolean ? sql`coalesce(${condition}, false)` : condition;
}

/** Conditions on a value by its type; undefined: it never passes. */
interface Tests {
  readonly text: ((text: Sql) => Sql) | undefined;
  readonly plainText: ((text: Sql) => Sql) | undefined;
  readonly number: ((number: Sql, digits: Sql) => Sql) | undefined;
  readonly time: NumberTest | undefined;
  readonly isExists: boolean;
}

const NEVER = sql`false`;
const ALWAYS = sql`true`;

const EXISTS: Tests = {
  text: () => ALWAYS,
  plainText: () => ALWAYS,
  number: () => ALWAYS,
  time: [],
  isExists: true,
};

function testsOf(dialect: SqlDialect, { text, digits, number, decimal, time }: ValueTest): Tests {
  const plainText = text === undefined ? undefined : (value: Sql) => textSql(dialect, text, value);
  return {
    plainText,
    text:
      decimal === undefined
        ? plainText
        : (value) => either([plainText?.(value), decimalSql(dialect, decimal, value)]),
    number:
      number === undefined && digits === undefined
        ? undefined
        : (value, shown) =>
            either([
              number === undefined ? undefined : rangesSql(number, value),
              digits === undefined
                ? undefined
                : sql`(${isShownInDigits(value)} and ${textSql(dialect, digits, shown)})`,
            ]),
    time,
    isExists: false,
  };
}

function testSql(store: Store, property: Property, tests: Tests): Sql {
  if (property.kind === 'section') return sectionSql(store, property.of, tests);
  if (property.kind === 'attribute' && property.isResource === true) {
    throw new UnsupportedExpressionError(
      `${property.name} can be used in filters only: a store does not keep resources apart; write ${property.key}`,
    );
  }
  const brought = broughtPaths(property, store.names).map((path) =>
    store.dialect.attributePasses(ATTRIBUTES, path, attributeTests(tests)),
  );
  const column = property.kind === 'column' ? columnTest(store.dialect, property, tests) : undefined;
  return either([column, ...brought]);
}

function sectionSql(store: Store, of: Property, tests: Tests): Sql {
  const { text } = tests;
  const onSection = text === undefined ? undefined : (value: Sql) => text(store.dialect.section(value));
  return testSql(store, of, {
    text: onSection,
    plainText: undefined,
    number: undefined,
    time: undefined,
    isExists: false,
  });
}

function attributeTests({ text, plainText, number, isExists }: Tests): AttributeTests {
  return {
    text: text ?? (() => NEVER),
    boolean: plainText ?? (() => NEVER),
    number: number ?? (() => NEVER),
    object: isExists ? ALWAYS : NEVER,
    list: isExists ? ALWAYS : NEVER,
  };
}

type ColumnProperty = Extract<Property, { kind: 'column' }>;

function columnTest(dialect: SqlDialect, property: ColumnProperty, tests: Tests): Sql | undefined {
  const column = columnSql(property.column);
  if (tests.isExists) return sql`(${column} is not null)`;
  switch (typeOf(property)) {
    case 'severity':
    case 'number':
      return tests.number?.(sql`${column}::float8`, sql`${column}::text`);
    case 'time':
      return tests.time === undefined ? undefined : timeSql(dialect, tests.time, column);
    case 'uuid':
      return tests.text?.(sql`replace(${column}::text, '-', '')`);
    case 'any':
    case 'text': {
      const prefix = prefixOf(property);
      const value = prefix === undefined ? column : sql`(${prefix}::text || ${column})`;
      const passes = tests.text?.(value);
      return passes === undefined ? undefined : sql`(${column} is not null and ${passes})`;
    }
  }
}

/** Compares times, so that a database can skip data. */
function timeSql(dialect: SqlDialect, ranges: NumberTest, column: Sql): Sql {
  return either(
    ranges.map(({ min, max, isMinExcluded, isMaxExcluded }) => {
      const low = min === undefined ? undefined : dialect.timestamp(clampedMicro(min));
      const high = max === undefined ? undefined : dialect.timestamp(clampedMicro(max));
      return between(column, { low, high, isMinExcluded, isMaxExcluded });
    }),
  );
}

/** Records have times from 1970 to 2199; databases do not know all times. */
function clampedMicro(micro: number): number {
  return Math.min(Math.max(micro, -1), Date.UTC(2300, 0, 1) * 1000);
}

function rangesSql(ranges: NumberTest, value: Sql): Sql {
  return either(
    ranges.map(({ min, max, isMinExcluded, isMaxExcluded }) => {
      if (min !== undefined && min === max) return sql`${value} = ${min}::float8`;
      const low = min === undefined ? undefined : sql`${min}::float8`;
      const high = max === undefined ? undefined : sql`${max}::float8`;
      return between(value, { low, high, isMinExcluded, isMaxExcluded });
    }),
  );
}

interface Bounds {
  readonly low: Sql | undefined;
  readonly high: Sql | undefined;
  readonly isMinExcluded: boolean | undefined;
  readonly isMaxExcluded: boolean | undefined;
}

function between(value: Sql, { low, high, isMinExcluded, isMaxExcluded }: Bounds): Sql {
  const conditions = [
    low === undefined ? undefined : isMinExcluded ? sql`${value} > ${low}` : sql`${value} >= ${low}`,
    high === undefined ? undefined : isMaxExcluded ? sql`${value} < ${high}` : sql`${value} <= ${high}`,
  ].filter((each) => each !== undefined);
  return conditions.length === 0 ? sql`${value} is not null` : sql`(${join(conditions, sql` and `)})`;
}

function decimalSql(dialect: SqlDialect, decimal: NumberTest, text: Sql): Sql {
  const number = dialect.decimalNumber(text);
  return rangesSql(decimal, number);
}

function isShownInDigits(number: Sql): Sql {
  return sql`(${number} = 0 or (abs(${number}) >= 1e-6::float8 and abs(${number}) < 1e21::float8))`;
}

function textSql(dialect: SqlDialect, test: TextTest, text: Sql): Sql {
  switch (test.kind) {
    case 'equals':
      return sql`${text} in (${join(
        test.texts.map((each) => sql`${each}::text`),
        sql`, `,
      )})`;
    case 'compare':
      return sql`${text} collate "C" ${OPERATORS[test.operator]} ${test.text}::text`;
    case 'contains':
      return dialect.containsExactly(text, test.text);
    case 'starts_with':
      return dialect.startsWith(text, test.text);
    case 'ends_with':
      return dialect.endsWith(text, test.text);
    case 'matches':
      return patternSql(dialect, test.pattern.tree, text);
  }
}

/** A text that every match has is searched first: an index of trigrams supports that, but no pattern on `left(text)`. */
function patternSql(dialect: SqlDialect, pattern: PatternNode, text: Sql): Sql {
  const matches = dialect.matchesPattern(text, pattern);
  const literal = requiredLiteral(pattern);
  if (literal.length < MIN_LITERAL) return matches;
  return sql`(${dialect.containsExactly(text, literal)} and ${matches})`;
}

/** A shorter text is part of most texts, and has no trigram. */
const MIN_LITERAL = 3;

const OPERATORS = { '<': sql`<`, '<=': sql`<=`, '>': sql`>`, '>=': sql`>=` } as const;

function either(conditions: readonly (Sql | undefined)[]): Sql {
  const found = conditions.filter((each) => each !== undefined);
  const [only] = found;
  if (only === undefined) return NEVER;
  return found.length === 1 ? only : sql`(${join(found, sql` or `)})`;
}
