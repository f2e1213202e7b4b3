import { z } from 'zod';
import {
  type FormatDescription,
  parseFormatDescription,
} from '../../../../formats/described/format-description.ts';
import { encodingNamed } from '../../../../formats/encodings/encoding-named.ts';
import { isZone } from '../../../../formats/time/zone-offset.ts';
import { type CompiledPattern, compilePattern, type LineTest } from '../../../../patterns/compile-pattern.ts';
import { PatternError } from '../../../../patterns/pattern-error.ts';
import { LIMITS } from '../../../../records/limits.ts';
import type { Resource } from '../../../../records/resource.ts';
import { durationToMs, parseDuration } from '../../../../runtime/configuration/duration.ts';
import { nearestName } from '../../../../runtime/configuration/unknown-variables.ts';

/**
 * How lines are joined to records. Each expression is matched with one line without its end.
 * - `start`: a line that matches begins a record: `{"start": "^\\d{4}-"}` for records that begin with a date.
 * - `continue`: a line that matches belongs to the record before it: `{"continue": "^\\s"}` for indented stack traces.
 */
export type Multiline = { readonly start: LineTest } | { readonly continue: LineTest };

export const durationMsSchema = z.string().transform((text, context) => {
  try {
    const ms = durationToMs(parseDuration(text));
    if (ms > 0) return ms;
    context.addIssue({
      code: 'custom',
      message: `expected a duration above zero, found ${JSON.stringify(text)}`,
    });
  } catch (error) {
    context.addIssue({
      code: 'custom',
      message: `expected a duration like 24h: ${(error as Error).message}`,
    });
  }
  return z.NEVER;
});

const expressionSchema = z.string().transform((text, context): CompiledPattern => {
  try {
    return compilePattern(text);
  } catch (error) {
    if (!(error instanceof PatternError)) throw error;
    context.addIssue({ code: 'custom', message: `expected a regular expression: ${error.message}` });
    return z.NEVER;
  }
});

/** The name of a format, or a description of one. */
export const formatSchema = z.string().min(1).transform(formatOf);

/** For times without a zone. */
export const zoneSchema = z
  .string()
  .refine(isZone, { error: 'expected a zone such as "Europe/Paris" or "+02:00"' });

/** The name of an encoding as it travels with the records. UTF-8 has none, as if the key was absent. */
export const encodingSchema = z.string().transform((text, context): string | undefined => {
  const named = encodingNamed(text, nearestName);
  if (typeof named !== 'string') return named.name;
  context.addIssue({ code: 'custom', message: named });
  return z.NEVER;
});

function formatOf(text: string, context: z.core.$RefinementCtx<string>): FormatDescription {
  const described = parseFormatDescription(text);
  if (typeof described !== 'string') {
    if (Buffer.byteLength(described.name) <= LIMITS.formatNameBytes) return described;
    context.addIssue({ code: 'custom', message: `expected at most ${LIMITS.formatNameBytes} bytes` });
    return z.NEVER;
  }
  context.addIssue({ code: 'custom', message: described });
  return z.NEVER;
}

const MULTILINE_EXPECTED = 'expected {"start": expression} or {"continue": expression}';

export const multilineSchema = z
  .strictObject({ start: expressionSchema.optional(), continue: expressionSchema.optional() })
  .transform((options, context): Multiline => {
    if (options.start !== undefined && options.continue === undefined) return { start: options.start };
    if (options.continue !== undefined && options.start === undefined) return { continue: options.continue };
    context.addIssue({ code: 'custom', message: MULTILINE_EXPECTED });
    return z.NEVER;
  });

export const resourceSchema = z
  .record(z.string().min(1), z.string())
  .transform((attributes): Resource => new Map(Object.entries(attributes)))
  .refine((resource) => resource.size <= LIMITS.resourceEntries - 16, 'expected at most 48 attributes');
