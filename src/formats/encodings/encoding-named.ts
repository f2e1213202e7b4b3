import { iconv } from './iconv.ts';

/** `name`: as it is in the attribute `megacollector.encoding`; undefined: UTF-8, which needs no attribute. */
export interface NamedEncoding {
  readonly name: string | undefined;
}

/**
 * The encoding that an operator names. Case, hyphens and underscores do not matter. Returns the reason as a text if
 * there is none; `nearest` returns the candidate that is the most similar to a name.
 */
export function encodingNamed(text: string, nearest: NearestName): NamedEncoding | string {
  const name = text.trim().toLowerCase();
  const plain = plainName(name);
  if (UTF8.includes(plain)) return { name: undefined };
  const unicode = UNICODE.get(plain);
  if (unicode !== undefined) return { name: unicode };
  if (REFUSED.test(plain)) return `the encoding "${text}" is not supported: convert the file to UTF-8`;
  const known = [name, name.replace(/^x-/, '')].find((each) => each !== '' && iconv().encodingExists(each));
  if (known === undefined) return unknownEncoding(text, nearest(plain, knownNames()));
  return hasPlainLineEnds(known)
    ? { name: known }
    : `the encoding "${text}" is not supported: its line feed is not the byte 0x0A. Convert the file to UTF-8`;
}

type NearestName = (name: string, candidates: readonly string[]) => string | undefined;

function unknownEncoding(text: string, nearest: string | undefined): string {
  const hint = nearest === undefined ? '' : `; did you mean "${USUAL.get(nearest) ?? nearest}"?`;
  return `expected an encoding such as "utf-16", "iso-8859-1", "windows-1252" or "shift_jis", found "${text}"${hint}`;
}

/** As the library compares names. */
function plainName(name: string): string {
  return name.replaceAll(/[^0-9a-z]/g, '');
}

const UTF8: readonly string[] = ['utf8', 'unicode11utf8'];

const UNICODE: ReadonlyMap<string, string> = new Map([
  ['utf16', 'utf-16'],
  ['utf16le', 'utf-16le'],
  ['ucs2', 'utf-16le'],
  ['utf16be', 'utf-16be'],
  ['utf32', 'utf-32'],
  ['ucs4', 'utf-32'],
  ['utf32le', 'utf-32le'],
  ['ucs4le', 'utf-32le'],
  ['utf32be', 'utf-32be'],
  ['ucs4be', 'utf-32be'],
]);

/** They have states that continue over the end of a line, or are no encodings of text. */
const REFUSED = /utf7|^iso2022|^hz|ebcdic|^(?:cp|ibm)?(?:037|500|1047)$|^(?:base64|hex|binary)$/;

/** The names as they are usually written. The library has them without hyphens. */
const USUAL_NAMES = [
  ...['utf-8', 'utf-16', 'utf-16le', 'utf-16be', 'utf-32', 'utf-32le', 'utf-32be'],
  ...['us-ascii', 'latin1', 'koi8-r', 'koi8-u', 'macintosh', 'tis-620'],
  ...['shift_jis', 'windows-31j', 'euc-jp', 'gb2312', 'gbk', 'gb18030', 'big5', 'big5-hkscs', 'euc-kr'],
  ...Array.from({ length: 16 }, (_, index) => `iso-8859-${index + 1}`),
  ...Array.from({ length: 9 }, (_, index) => `windows-125${index}`),
];
const USUAL: ReadonlyMap<string, string> = new Map(USUAL_NAMES.map((name) => [plainName(name), name]));

/** The names that the library knows. It fills the list when it looks up a first name. */
function knownNames(): readonly string[] {
  const { encodings } = iconv() as unknown as { readonly encodings?: Readonly<Record<string, unknown>> };
  const others = Object.keys(encodings ?? {}).filter((name) => /^[a-z]/.test(name) && !REFUSED.test(name));
  return [...USUAL.keys(), ...others];
}

/** Whether the collector can cut the bytes into lines. */
function hasPlainLineEnds(name: string): boolean {
  return iconv().encode('\n', name).equals(LF) && iconv().decode(LF, name) === '\n';
}

const LF = Buffer.from('\n');
