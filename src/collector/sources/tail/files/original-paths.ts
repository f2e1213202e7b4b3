import { basename, dirname, join } from 'node:path';

/**
 * One part of the suffix that a rotation or a backup adds to a name: a number, a date, a time, or a usual
 * word.
 */
const PART =
  '(?:\\d+(?:[A-Za-z]\\d*)*|bak|backup|old|orig|save|saved|prev|previous|copy|rotated|archive|tmp)';
const PARTS = `${PART}(?:[._:+-]${PART})*`;

/** `app.log.1`, `app.log-20261120`, `app.log.bak`, `app.log~`. */
const SUFFIX = new RegExp(`^(.+?)(?:[._-]${PARTS}~?|~)$`, 'i');
/** `app-20261120.log`, `app.1.log`; not `app-2.log`, which may be the log of another program. */
const INFIX = /^(.+?)(?:\.\d+|[._-]\d{4}-?\d{2}[\d._:T+-]*)(\.[A-Za-z]\w*)$/;

/**
 * The paths from which a rotation or a backup may have made this one: `/a/x.log` for `/a/x.log.1`,
 * `/a/x.log.bak` and `/a/x-20261120.log`; also `/a/x.log.1` for `/a/x.log.1.bak`. Empty for a name without
 * such a suffix.
 */
export function originalPaths(path: string): string[] {
  const name = basename(path);
  const originals = new Set<string>();
  for (const base of suffixBases(name)) originals.add(base);
  const infix = originals.size === 0 ? INFIX.exec(name) : null;
  if (infix !== null) originals.add(`${infix[1]}${infix[2]}`);
  originals.delete(name);
  return Array.from(originals, (original) => join(dirname(path), original));
}

/** Every name from which a suffix makes this one: the suffix may begin at each separator. */
function* suffixBases(name: string): Iterable<string> {
  if (!SUFFIX.test(name)) return;
  if (name.endsWith('~')) yield name.slice(0, -1);
  for (let index = name.length - 1; index > 0; index--) {
    if (!/[._-]/.test(name.charAt(index))) continue;
    if (IS_SUFFIX.test(name.slice(index))) yield name.slice(0, index);
  }
}

const IS_SUFFIX = new RegExp(`^[._-]${PARTS}~?$`, 'i');
