import { type FebeFault, febeFault } from './febe-fault.ts';

/** Who is talking, by the V frame: `PG-15.20 (Debian 15.20-0+deb12u1)/logfebe-1`. */
export interface ServerVersion {
  /** `15.20 (Debian 15.20-0+deb12u1)` */
  readonly text: string;
  /** 9 for all of 9.2 to 9.6. */
  readonly major: number;
  /** A major version that did not exist when this was written: believed, with a warning. */
  readonly unheardOf: boolean;
}

export const NEWEST_KNOWN_MAJOR = 18;

const PROTOCOL_MARK = '/logfebe-';
const PROTOCOL = '1';
const OLDEST_MINOR_OF_9 = 2;
const NEWEST_MINOR_OF_9 = 6;
/** Packagers put words and blanks behind the number; none needs more than this. */
const LONGEST_TEXT = 256;

/**
 * Reads what a V frame holds. Packagers add to the number what they like, so it is taken apart from the
 * right.
 */
export function parseServerVersion(greeting: string): ServerVersion | FebeFault {
  const mark = greeting.lastIndexOf(PROTOCOL_MARK);
  if (mark < 0) return refuse('it does not end in /logfebe-1', greeting);
  if (greeting.slice(mark + PROTOCOL_MARK.length) !== PROTOCOL)
    return refuse('only protocol logfebe-1 is understood', greeting);
  const text = greeting.slice('PG-'.length, mark);
  const [, majorText, minorText] = /^PG-(\d{1,3})(?!\d)(?:\.(\d+))?/.exec(greeting) ?? [];
  if (majorText === undefined) return refuse('it does not begin with PG- and a version', greeting);
  if (text.length > LONGEST_TEXT) return refuse(`it is longer than ${LONGEST_TEXT} characters`, greeting);
  const major = Number(majorText);
  if (!isSupported(major, minorText)) return refuse('PostgreSQL 9.2 or newer is needed', greeting);
  return { text, major, unheardOf: major > NEWEST_KNOWN_MAJOR };
}

function isSupported(major: number, minorText: string | undefined): boolean {
  if (major >= 10) return true;
  const minor = Number(minorText ?? 0);
  return major === 9 && minor >= OLDEST_MINOR_OF_9 && minor <= NEWEST_MINOR_OF_9;
}

function refuse(why: string, greeting: string): FebeFault {
  const shown = greeting.length > 80 ? `${greeting.slice(0, 80)}...` : greeting;
  return febeFault('bad version', `the version ${JSON.stringify(shown)} is refused: ${why}`);
}
