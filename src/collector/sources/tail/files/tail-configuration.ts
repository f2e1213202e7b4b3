import { z } from 'zod';
import { type CompiledPattern, compilePattern, type LineTest } from '../../../../patterns/compile-pattern.ts';
import { PatternError } from '../../../../patterns/pattern-error.ts';
import { LIMITS } from '../../../../records/limits.ts';
import { EMPTY_RESOURCE, type Resource } from '../../../../records/resource.ts';
import { ConfigurationError } from '../../../../runtime/configuration/configuration-error.ts';
import { durationToMs, parseDuration } from '../../../../runtime/configuration/duration.ts';
import { jsonProblem } from '../../../../runtime/configuration/json-problem.ts';
import { schemaProblems } from '../../../../runtime/configuration/schema-problems.ts';

/** One group of files with the same settings. */
export interface TailEntry {
  /** Globs. Relative ones begin at the working directory. */
  readonly paths: readonly string[];
  /**
   * Globs of files that are not read. A glob without a slash matches names. Compressed files are never read.
   */
  readonly exclude: readonly string[];
  readonly format: string;
  /** Attributes in addition to those of all records of the collector. */
  readonly resource: Resource;
  /**
   * For files that exist at the first start with a state directory. Later files are read from their
   * beginning.
   */
  readonly startAt: 'beginning' | 'end';
  /** New files whose last write is older are not read. */
  readonly ignoreOlderMs?: number;
  readonly multiline?: Multiline;
}

/**
 * How lines are joined to records. Each expression is matched with one line without its end.
 * - `start`: a line that matches begins a record: `{"start": "^\\d{4}-"}` for records that begin with a date.
 * - `continue`: a line that matches belongs to the record before it: `{"continue": "^\\s"}` for indented stack traces.
 */
type Multiline = { readonly start: LineTest } | { readonly continue: LineTest };

/** The entries of `COLLECTOR_TAIL`: every glob read as plain lines from the beginning. */
export function tailEntriesFromGlobs(globs: readonly string[]): readonly TailEntry[] {
  if (globs.length === 0) return [];
  return [{ paths: globs, exclude: [], format: 'plain', resource: EMPTY_RESOURCE, startAt: 'beginning' }];
}

/**
 * Reads `COLLECTOR_TAIL_CONFIGURATION`, a JSON list. Throws a ConfigurationError that names every problem.
 */
export function parseTailConfiguration(text: string, variable: string): readonly TailEntry[] {
  const parsed = entriesSchema.safeParse(parseJson(text, variable));
  if (parsed.success) return parsed.data;
  throw new ConfigurationError(schemaProblems(variable, parsed.error, knownKeys));
}

function parseJson(text: string, variable: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    const message = jsonProblem('a list of entries', text, EXAMPLE);
    throw new ConfigurationError([{ variable, message }]);
  }
}

const EXAMPLE = '[{"paths": ["/var/log/nginx/access.log"], "format": "combined"}]';

/** The keys of an entry of the list, and of its `multiline`. */
function knownKeys(path: readonly PropertyKey[]): readonly string[] {
  if (path.length === 1) return Object.keys(entryShape);
  return path.at(-1) === 'multiline' ? ['start', 'continue'] : [];
}

const globSchema = z.string().min(1, 'expected a path or glob, found an empty string');

const durationMsSchema = z.string().transform((text, context) => {
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

const MULTILINE_EXPECTED = 'expected {"start": expression} or {"continue": expression}';

const multilineSchema = z
  .strictObject({ start: expressionSchema.optional(), continue: expressionSchema.optional() })
  .transform((options, context): Multiline => {
    if (options.start !== undefined && options.continue === undefined) return { start: options.start };
    if (options.continue !== undefined && options.start === undefined) return { continue: options.continue };
    context.addIssue({ code: 'custom', message: MULTILINE_EXPECTED });
    return z.NEVER;
  });

const resourceSchema = z
  .record(z.string().min(1), z.string())
  .transform((attributes): Resource => new Map(Object.entries(attributes)))
  .refine((resource) => resource.size <= LIMITS.resourceEntries - 16, 'expected at most 48 attributes');

const entryShape = {
  paths: z.array(globSchema).min(1, 'expected at least one path or glob'),
  exclude: z.array(globSchema).default([]),
  format: z.string().min(1).max(LIMITS.formatNameBytes).default('plain'),
  resource: resourceSchema.default(EMPTY_RESOURCE),
  start_at: z.enum(['beginning', 'end']).default('beginning'),
  ignore_older: durationMsSchema.optional(),
  multiline: multilineSchema.optional(),
};

const entrySchema = z.strictObject(entryShape).transform(
  ({ start_at, ignore_older, multiline, ...entry }): TailEntry => ({
    ...entry,
    startAt: start_at,
    ...(ignore_older === undefined ? {} : { ignoreOlderMs: ignore_older }),
    ...(multiline === undefined ? {} : { multiline }),
  }),
);

const entriesSchema = z.array(entrySchema).min(1, 'expected at least one entry');
