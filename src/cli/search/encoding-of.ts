import { utf16OfMark, utf32OfMark } from '../../formats/encodings/byte-order-mark.ts';
import { isByteOrderOpen } from '../../formats/encodings/unit-bytes.ts';

/** The encoding of a file, as a collector decides it; undefined: UTF-8. `beginning`: the first bytes of the file. */
export function encodingOf(beginning: Uint8Array, configured: string | undefined): string | undefined {
  if (configured === undefined) return utf16OfMark(beginning);
  if (!isByteOrderOpen(configured)) return configured;
  const marked = configured === 'utf-32' ? utf32OfMark(beginning) : utf16OfMark(beginning);
  return marked ?? `${configured}le`;
}
