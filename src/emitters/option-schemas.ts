import { z } from 'zod';
import { parseByteSize } from '../runtime/configuration/byte-size.ts';
import { durationToMs, parseDuration } from '../runtime/configuration/duration.ts';
import { pemText } from '../runtime/tls.ts';

/** A duration greater than zero, in milliseconds. */
export const durationOption = z.string().transform((text, context) => {
  try {
    const ms = durationToMs(parseDuration(text));
    if (ms > 0) return ms;
  } catch {
    // Reported below.
  }
  context.addIssue({ code: 'custom', message: 'expected a duration greater than zero, such as "10s"' });
  return z.NEVER;
});

/** The text of a file in PEM format. */
export const pemOption = z
  .string()
  .transform(pemText)
  .refine((text) => text.includes('-----BEGIN '), 'expected PEM text (for a path, add _file to the key)');

/** A size as a number of bytes, or as a text such as `example`. */
export function byteSizeOption(least: number, most: number, example: string) {
  return z
    .union([z.number(), z.string().transform(parseByteSize)])
    .refine(
      (bytes) => Number.isInteger(bytes) && Number(bytes) >= least && Number(bytes) <= most,
      `expected ${least} to ${most} bytes, or a text such as "${example}"`,
    )
    .transform(Number);
}
