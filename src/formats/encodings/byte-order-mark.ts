/**
 * The encoding that a byte order mark at the beginning of a file names; undefined: there is none. FF FE 00 00 is a mark
 * of UTF-32, or one of UTF-16 before bytes that are not written yet: it names no encoding of UTF-16.
 */
export function utf16OfMark(beginning: Uint8Array): 'utf-16le' | 'utf-16be' | undefined {
  const [first, second, third, fourth] = beginning;
  if (first === 0xfe && second === 0xff) return 'utf-16be';
  if (first !== 0xff || second !== 0xfe) return undefined;
  return third === 0 && fourth === 0 ? undefined : 'utf-16le';
}

/** The same for a file that is known to be UTF-32. */
export function utf32OfMark(beginning: Uint8Array): 'utf-32le' | 'utf-32be' | undefined {
  const mark = Buffer.from(beginning.subarray(0, 4)).toString('hex');
  if (mark === 'fffe0000') return 'utf-32le';
  return mark === '0000feff' ? 'utf-32be' : undefined;
}
