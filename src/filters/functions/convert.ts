import type { FilterRun } from '../filter-run.ts';
import { type FilterValue, mapTexts } from '../filter-value.ts';
import type { FilterCall, FilterFunction } from './filter-function.ts';

/** A number; of a text, the number that it shows: `42`, `-1.5e3`, `0x1f`, `1,234`. */
export const number: FilterFunction = {
  name: 'number',
  usage: 'number(VALUE)',
  values: [1, 1],
  named: [],
  compile: (call) => mapping(call, (text) => numberOf(text), 'not a number'),
};

export const lower: FilterFunction = {
  name: 'lower',
  usage: 'lower(VALUE)',
  values: [1, 1],
  named: [],
  compile: (call) => mapping(call, (text) => text.toLowerCase()),
};

export const upper: FilterFunction = {
  name: 'upper',
  usage: 'upper(VALUE)',
  values: [1, 1],
  named: [],
  compile: (call) => mapping(call, (text) => text.toUpperCase()),
};

function mapping(call: FilterCall, change: (text: string) => FilterValue, reason?: string) {
  const value = call.value(0);
  const read = (run: FilterRun) =>
    mapTexts(value(run), (text) => {
      const changed = change(text);
      if (changed === undefined && reason !== undefined) call.error(run, reason, text);
      return changed;
    });
  return { kind: 'value', read } as const;
}

const NUMBER = /^[+-]?(?:\d{1,300}(?:\.\d{0,300})?|\.\d{1,300})(?:[eE][+-]?\d{1,3})?$/;
const GROUPED = /^[+-]?\d{1,3}(?:,\d{3}){1,20}(?:\.\d{1,300})?$/;

function numberOf(text: string): number | undefined {
  const trimmed = text.trim();
  if (/^0x[0-9a-fA-F]{1,13}$/.test(trimmed)) return Number(trimmed);
  const digits = GROUPED.test(trimmed) ? trimmed.replaceAll(',', '') : trimmed;
  const value = NUMBER.test(digits) ? Number(digits) : Number.NaN;
  return Number.isFinite(value) ? value : undefined;
}
