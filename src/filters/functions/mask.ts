import { mapTexts } from '../filter-value.ts';
import { addressBytes } from './address.ts';
import type { FilterFunction } from './filter-function.ts';

/**
 * Hides the personal part of a value: `a***@example.com`, `10.1.2.0`, `2001:db8:1::`, otherwise `***`. `keep`:
 * the last characters that remain.
 */
export const mask: FilterFunction = {
  name: 'mask',
  usage: 'mask(VALUE, keep = 4)',
  values: [1, 1],
  named: ['keep'],
  compile: (call) => {
    const value = call.value(0);
    const keep = call.namedNumber('keep');
    if (keep !== undefined && (!Number.isInteger(keep) || keep < 0))
      call.fail('keep is a number of characters');
    const change = keep === undefined ? masked : (text: string) => ending(text, keep);
    return { kind: 'value', read: (run) => mapTexts(value(run), change) };
  },
};

const STARS = '***';

function masked(text: string): string {
  const bytes = addressBytes(text);
  if (bytes?.length === 4) return `${bytes.slice(0, 3).join('.')}.0`;
  if (bytes !== undefined) return `${groups(bytes.slice(0, 6))}::`;
  const at = text.lastIndexOf('@');
  return at > 0 ? `${String.fromCodePoint(text.codePointAt(0) ?? 0)}${STARS}${text.slice(at)}` : STARS;
}

function groups(bytes: readonly number[]): string {
  const high = bytes.filter((_, at) => at % 2 === 0);
  return high.map((each, at) => (each * 256 + (bytes[at * 2 + 1] ?? 0)).toString(16)).join(':');
}

/** At least half of the text is hidden. */
function ending(text: string, keep: number): string {
  const characters = Array.from(text);
  const kept = Math.min(keep, Math.floor(characters.length / 2));
  return STARS + characters.slice(characters.length - kept).join('');
}
