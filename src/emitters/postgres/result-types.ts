import { types } from 'pg';

const NUMBERS: ReadonlySet<number> = new Set([
  types.builtins.INT8,
  types.builtins.INT4,
  types.builtins.INT2,
  types.builtins.NUMERIC,
  types.builtins.FLOAT8,
  types.builtins.FLOAT4,
]);

/** How values come back: numbers (also those the driver takes for too large), booleans; everything else as text. */
export const RESULT_TYPES = {
  getTypeParser(oid: number): (value: string) => string | number | boolean {
    if (NUMBERS.has(oid)) return Number;
    if (oid === types.builtins.BOOL) return (value) => value === 't';
    return String;
  },
};
