import { types } from 'pg';

const NUMBERS: ReadonlySet<number> = new Set([
  types.builtins.INT8,
  types.builtins.INT4,
  types.builtins.INT2,
  types.builtins.NUMERIC,
  types.builtins.FLOAT8,
  types.builtins.FLOAT4,
]);

/**
 * Result types: numbers (also bigint and numeric, which the driver returns as text), booleans; all others as
 * text.
 */
export const RESULT_TYPES = {
  getTypeParser(oid: number): (value: string) => string | number | boolean {
    if (NUMBERS.has(oid)) return Number;
    if (oid === types.builtins.BOOL) return (value) => value === 't';
    return String;
  },
};
