import { type FebeFault, febeFault } from './febe-fault.ts';

/** The version in a V frame: `PG-15.20 (Debian 15.20-0+deb12u1)/logfebe-1`. */
export interface ServerVersion {
  /** `15.20 (Debian 15.20-0+deb12u1)` */
  readonly text: string;
  /** 9 for all of 9.2 to 9.6. */
  readonly major: number;
  /** The newest known major version. A newer one is accepted with a warning. */
  readonly unheardOf: boolean;
}

export const NEWEST_KNOWN_MAJOR = 18;

const PROTOCOL_MARK = '/logfebe-';
const PROTOCOL = '1';
const OLDEST_MINOR_OF_9 = 2;
const NEWEST_MINOR_OF_9 = 6;
/** Packagers add words and blanks after the number; no known version is longer than this. */
const LONGEST_TEXT = 256;

/** Parses the content of a V frame. Packagers add text to the number, so it is parsed from the right. */
export function parseServerVersion(greeting: string): ServerVersion | FebeFault {
  const mark = greeting.lastIndexOf(PROTOCOL_MARK);
  if (mark < 0) return refuse('it must end with /logfebe-1', greeting);
  if (greeting.slice(mark + PROTOCOL_MARK.length) !== PROTOCOL)
    return refuse('only the protocol logfebe-1 is supported', greeting);
  const text = greeting.slice('PG-'.length, mark);
  const [, majorText, minorText] = /^PG-(\d{1,3})(?!\d)(?:\.(\d+))?/.exec(greeting) ?? [];
  if (majorText === undefined) return refuse('it must begin with PG- and a version', greeting);
  if (text.length > LONGEST_TEXT) return refuse(`it must have at most ${LONGEST_TEXT} characters`, greeting);
  const major = Number(majorText);
  if (!isSupported(major, minorText)) return refuse('PostgreSQL must be 9.2 or newer', greeting);
  return { text, major, unheardOf: major > NEWEST_KNOWN_MAJOR };
}

function isSupported(major: number, minorText: string | undefined): boolean {
  if (major >= 10) return true;
  const minor = Number(minorText ?? 0);
  return major === 9 && minor >= OLDEST_MINOR_OF_9 && minor <= NEWEST_MINOR_OF_9;
}

function refuse(why: string, greeting: string): FebeFault {
  const shown = greeting.length > 80 ? `${greeting.slice(0, 80)}...` : greeting;
  return febeFault('bad version', `cannot accept the version ${JSON.stringify(shown)}: ${why}`);
}
