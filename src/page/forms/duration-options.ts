import { duration } from '../text/numbers.ts';
import type { Option } from './option.ts';

/** Choices for a select; a present value that is not among them is added. */
export function durationOptions(seconds: readonly number[], present: string): readonly Option<string>[] {
  const known = seconds.map(String);
  const all = known.includes(present) || present === '' ? seconds : [...seconds, Number(present)];
  return all
    .toSorted((a, b) => a - b)
    .map((each) => ({ value: String(each), text: each === 0 ? 'at once' : duration(each) }));
}
