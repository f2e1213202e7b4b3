import { unitBytesOf } from './unit-bytes.ts';

/** Formats that define the encoding of their records. */
const ENCODED: readonly string[] = ['docker-json', 'journald', 'otlp', 'logfebe'];

/** Formats whose records are found by single bytes. */
const CUT_BY_BYTES: readonly string[] = ['cri', 'postgres-csvlog'];

/** The reason why records of this format cannot be in this encoding; undefined: they can. */
export function encodingMisfit(format: string, encoding: string | undefined): string | undefined {
  if (encoding === undefined) return undefined;
  if (ENCODED.includes(format)) return `the format "${format}" is always UTF-8: remove the encoding`;
  if (CUT_BY_BYTES.includes(format) && unitBytesOf(encoding) > 1)
    return `the format "${format}" cannot be read in "${encoding}": convert the file to UTF-8`;
  return undefined;
}
