import type { FilterRun } from '../filter-run.ts';
import { textOf } from '../filter-value.ts';
import type { FilterFunction } from './filter-function.ts';

/**
 * True for one of n records. The stream and the position of a record decide, or the value `by`: so a record
 * that is read again gets the same answer.
 */
export const sample: FilterFunction = {
  name: 'sample',
  usage: 'sample(100, by = VALUE)',
  values: [1, 1],
  named: ['by'],
  compile: (call) => {
    const n = call.number(0, 'a number such as 100: one of 100 records is kept');
    if (!Number.isInteger(n) || n < 1) call.fail('expected a whole number from 1', 0);
    const by = call.named('by');
    if (by === undefined) {
      call.reads('position');
      return { kind: 'value', read: (run) => placeHash(run) % n === 0 };
    }
    const read = (run: FilterRun) => {
      const text = textOf(by(run));
      return (text === undefined ? placeHash(run) : mixed(hashText(text, SEED))) % n === 0;
    };
    return { kind: 'value', read };
  },
};

const SEED = 0x811c9dc5;

function placeHash({ record: { stream, position } }: FilterRun): number {
  if (stream !== last.stream) last = { stream, hash: hashText(stream, SEED) };
  const low = position % 0x100000000;
  return mixed(mixed(last.hash ^ low) ^ ((position - low) / 0x100000000));
}

/** The last stream: records come in batches of one. */
let last = { stream: '', hash: 0 };

/** FNV-1a. */
function hashText(text: string, seed: number): number {
  let result = seed;
  for (let at = 0; at < text.length; at++) result = Math.imul(result ^ text.charCodeAt(at), 0x01000193);
  return result >>> 0;
}

/** The finalizer of MurmurHash3: neighbouring positions get unrelated numbers. */
function mixed(value: number): number {
  let result = value;
  result = Math.imul(result ^ (result >>> 16), 0x85ebca6b);
  result = Math.imul(result ^ (result >>> 13), 0xc2b2ae35);
  return (result ^ (result >>> 16)) >>> 0;
}
