import { z } from 'zod';
import { ExpressionError } from '../../expressions/expression-error.ts';
import { parseGrouped } from '../../expressions/log-groups.ts';
import { MAX_EXPRESSION } from '../../expressions/parse-expression.ts';
import { type Property, PropertyError, parseProperty } from '../../expressions/property.ts';
import { propertiesOf } from '../../expressions/reads-of.ts';
import { parseDuration } from '../../runtime/configuration/duration.ts';

/**
 * The requests about logs over HTTP. The same schemas validate them, describe them in the OpenAPI document,
 * and type them. Times are RFC 3339, or a duration ago (`15m`, `24h`).
 */
export const MAX_TEXT = 1000;

const short = z.string().min(1).max(MAX_TEXT);

export const propertyName = z
  .string()
  .max(300)
  .superRefine((text, context) => {
    try {
      parseProperty(text);
    } catch (error) {
      if (!(error instanceof PropertyError)) throw error;
      context.addIssue({ code: 'custom', message: error.message });
    }
  })
  .meta({ description: 'A property of records: status_code, http.request.method, section(url.path), ...' });

/** An expression over the columns and attributes of records. */
export const expressionText = z
  .string()
  .max(MAX_EXPRESSION)
  .superRefine((text, context) => {
    try {
      const found = propertiesOf(parseGrouped(text)).find(isOfResource);
      if (found === undefined) return;
      const message = `a store does not keep resources apart from records; write ${found.key} instead of ${found.name}`;
      context.addIssue({ code: 'custom', message });
    } catch (error) {
      if (!(error instanceof ExpressionError)) throw error;
      context.addIssue({ code: 'custom', message: error.message });
    }
  })
  .meta({ description: 'An expression: `status_code >= 500 and not url.path starts_with "/health"`.' });

function isOfResource(property: Property): property is Extract<Property, { kind: 'attribute' }> {
  return property.kind === 'attribute' && property.isResource === true;
}

export const moment = z
  .string()
  .max(64)
  .refine(
    (text) => isAgo(text) || isTime(text),
    'expected a time such as 2026-01-31T10:00:00Z, or a duration ago such as 15m',
  )
  .meta({ description: 'RFC 3339, or a duration ago.', examples: ['2026-01-31T10:00:00Z', '15m'] });

const RFC3339 = /^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}(?:\.\d{1,9})?(?:Z|[+-]\d{2}:\d{2})$/;

/** `Date` alone would read 31 February as 3 March. */
function isTime(text: string): boolean {
  const day = text.slice(0, 10);
  if (!RFC3339.test(text) || Number.isNaN(Date.parse(text))) return false;
  return new Date(day).toISOString().startsWith(day);
}

function isAgo(text: string): boolean {
  try {
    return parseDuration(text) >= 0n;
  } catch {
    return false;
  }
}

/** Converts a validated `moment`. */
export function momentToUnixMicro(text: string, nowUnixMicro: number): number {
  if (isAgo(text)) return nowUnixMicro - Number(parseDuration(text) / 1000n);
  const fraction = /\.(\d+)/.exec(text)?.[1] ?? '';
  const microOfMs = Number(fraction.padEnd(6, '0').slice(3, 6));
  return Date.parse(text) * 1000 + microOfMs;
}

export const SEVERITIES = ['trace', 'debug', 'info', 'warn', 'error', 'fatal'] as const;

/** Selects records that match all given conditions. */
export const logFilter = z.strictObject({
  text: short.optional().meta({ description: 'The body contains this text; case is ignored.' }),
  severity: z.enum(SEVERITIES).optional().meta({ description: 'Minimum severity.' }),
  host: short.optional().meta({ description: 'The host.name.' }),
  service: short.optional().meta({ description: 'The service.name.' }),
  where: z
    .array(
      z.union([
        z.strictObject({ property: propertyName, value: z.string().max(MAX_TEXT) }),
        z.strictObject({ expression: expressionText }),
      ]),
    )
    .max(16)
    .optional()
    .meta({ description: 'Values of properties, and expressions. All of them must be true.' }),
});
export type LogFilter = z.infer<typeof logFilter>;

/** The names of the properties in the conditions of a filter. */
export function filteredProperties({ where = [] }: LogFilter): readonly string[] {
  return where.flatMap((each) =>
    'expression' in each
      ? propertiesOf(parseGrouped(each.expression)).map(({ name }) => name)
      : [each.property],
  );
}

export const timeRange = z.strictObject({
  from: moment
    .optional()
    .meta({ description: 'Inclusive. Default: 24 hours before the end; a search has none.' }),
  to: moment.optional().meta({ description: 'Exclusive. Default: now; a search has none.' }),
});

/** Opaque to clients. */
const cursor = z.string().max(400);

export const searchRequest = z.strictObject({
  ...timeRange.shape,
  ...logFilter.shape,
  limit: z.int().min(1).max(1000).default(100),
  cursor: cursor.optional().meta({ description: '`next` of the previous page.' }),
});
export type SearchRequest = z.infer<typeof searchRequest>;

export const logEntry = z.object({
  time: z.string().meta({ description: 'RFC 3339 in UTC, to the microsecond.' }),
  observedTime: z.string(),
  severity: z.enum(SEVERITIES).nullable(),
  severityNumber: z.int().nullable(),
  severityText: z.string().nullable(),
  host: z.string().nullable(),
  service: z.string().nullable(),
  source: z.string().nullable(),
  format: z.string(),
  body: z.string(),
  attributes: z.record(z.string(), z.json()),
  stream: z.string(),
  position: z.int(),
});
export type LogEntry = z.infer<typeof logEntry>;

export const unknownProperty = z.object({
  property: z.string(),
  nearest: z.array(z.string()).meta({ description: 'Names that records have, the nearest first.' }),
  message: z
    .string()
    .meta({ description: 'For people: the records that were checked, and the nearest names.' }),
});
export type UnknownProperty = z.infer<typeof unknownProperty>;

export const unknownInAnswer = z.array(unknownProperty).optional().meta({
  description:
    'Properties of the request that none of the newest records has: they may be misspelt. Absent if there are none, or if records were found.',
});

export const searchPage = z.object({
  entries: z.array(logEntry).meta({ description: 'Newest first.' }),
  unknown: unknownInAnswer,
  next: cursor.nullable().meta({ description: 'Cursor of the next page; null for the last page.' }),
});
export type SearchPage = z.infer<typeof searchPage>;

export const histogramRequest = z.strictObject({
  ...timeRange.shape,
  ...logFilter.shape,
  by: z.enum(['severity']).optional().meta({ description: 'Also count by severity.' }),
  intervalSeconds: z
    .int()
    .min(1)
    .max(86_400 * 366)
    .optional()
    .meta({
      description:
        'Default: about 100 bars. If there would be more than 10,000 bars, a multiple of it is used.',
    }),
});
export type HistogramRequest = z.infer<typeof histogramRequest>;

const severityCounts = z
  .object({
    trace: z.int(),
    debug: z.int(),
    info: z.int(),
    warn: z.int(),
    error: z.int(),
    fatal: z.int(),
    none: z.int().meta({ description: 'Records without a severity.' }),
  })
  .meta({ description: 'Only for by=severity.' });
export type SeverityCounts = z.infer<typeof severityCounts>;

export const histogram = z.object({
  intervalSeconds: z.int(),
  total: z.int(),
  unknown: unknownInAnswer,
  bars: z
    .array(z.object({ time: z.string(), count: z.int(), severities: severityCounts.optional() }))
    .meta({ description: 'Oldest first; bars without records have the count 0.' }),
});
export type Histogram = z.infer<typeof histogram>;

export const valuesRequest = z.strictObject({
  ...timeRange.shape,
  ...logFilter.shape,
  property: propertyName,
  limit: z.int().min(1).max(1000).default(20),
});
export type ValuesRequest = z.infer<typeof valuesRequest>;

export const valueCounts = z.object({
  unknown: unknownInAnswer,
  values: z.array(z.object({ value: z.string().nullable(), count: z.int() })).meta({
    description:
      'The most frequent first. null: records without the property. A long value is cut after 1000 characters.',
  }),
});
export type ValueCounts = z.infer<typeof valueCounts>;

export const fieldsRequest = z.strictObject({
  ...timeRange.shape,
  ...logFilter.shape,
  sample: z
    .int()
    .min(1)
    .max(50_000)
    .default(10_000)
    .meta({ description: 'Maximum number of records that are looked at, the newest first.' }),
});
export type FieldsRequest = z.infer<typeof fieldsRequest>;

export const FIELD_TYPES = ['text', 'number', 'boolean', 'time', 'json', 'mixed'] as const;
export type FieldType = (typeof FIELD_TYPES)[number];

export const field = z.object({
  name: z.string().meta({ description: 'The name in an expression.' }),
  kind: z.enum(['column', 'attribute']),
  type: z
    .enum(FIELD_TYPES)
    .meta({ description: 'json: objects, or lists of objects; mixed: values of several types.' }),
  count: z.int().meta({ description: 'Number of records with a value, in the sample.' }),
  distinct: z.int().meta({ description: 'Number of different values, in the sample.' }),
  values: z
    .array(z.object({ value: z.string(), count: z.int() }))
    .meta({ description: 'The most frequent values first, at most 10; long values are left out.' }),
});
export type Field = z.infer<typeof field>;

export const fieldsReport = z.object({
  fields: z.array(field).meta({ description: 'The most frequent first; at most 500.' }),
  sampled: z.int().meta({ description: 'Number of records that were looked at.' }),
  complete: z.boolean().meta({ description: 'Every matching record and every field is counted.' }),
});
export type FieldsReport = z.infer<typeof fieldsReport>;

export const streamId = z
  .string()
  .regex(/^(?:[0-9a-f]{32}|[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12})$/i, 'expected 32 hexadecimal digits')
  .meta({ description: 'The stream of a record.' });
/** Four pebibytes. */
const MAX_POSITION = 2 ** 52;
const position = z
  .int()
  .min(0)
  .max(MAX_POSITION)
  .meta({ description: 'The position of a record in its stream.' });
const timeHint = moment.optional().meta({
  description: 'The time of the record, which makes the request faster in PostgreSQL.',
});

export interface RecordPlace {
  readonly stream: string;
  readonly position: number;
  /** The time of the record, if it is known. */
  readonly time?: string | undefined;
}

/** In a path, a number is a text. */
export const recordPath = z.strictObject({
  stream: streamId,
  position: z
    .string()
    .regex(/^(?:0|[1-9][0-9]{0,15})$/, 'expected a whole number')
    .meta({ description: 'The position of a record in its stream.' }),
});
export const recordQuery = z.strictObject({ time: timeHint });

export const contextRequest = z.strictObject({
  stream: streamId,
  position,
  time: timeHint,
  direction: z.enum(['before', 'after', 'around']).default('around').meta({
    description: 'around: half of the records before, then the record itself, then those after it.',
  }),
  limit: z.int().min(1).max(1000).default(100),
  where: logFilter.shape.where,
});
export type ContextRequest = z.infer<typeof contextRequest>;

export const logContext = z.object({
  entries: z.array(logEntry).meta({ description: 'In the order of their positions.' }),
  atStart: z.boolean().meta({ description: 'The store has no earlier matching record of the stream.' }),
  atEnd: z.boolean().meta({ description: 'The store has no later matching record of the stream.' }),
  withinSeconds: z.int().nullable().meta({
    description:
      'null: the whole stream was searched. Otherwise only records whose time differs by at most this from that of the record.',
  }),
});
export type LogContext = z.infer<typeof logContext>;

export const tailRequest = z.strictObject({ ...logFilter.shape });
export type TailRequest = z.infer<typeof tailRequest>;
