import { z } from 'zod';
import { histogram, logEntry, searchPage, valueCounts } from '../../logstore/logs/log-requests.ts';
import { alertDefinition, alertEvent, alertReport, alertStatus } from '../../monitoring/alert-definition.ts';
import {
  identifier,
  metricDefinition,
  metricPoint,
  metricReport,
} from '../../monitoring/metric-definition.ts';
import type { Operation } from '../../runtime/operations/operation.ts';
import type { JsonSchema } from '../../runtime/operations/request-schema.ts';
import { amountReport, deadLetterReport } from './operations/queue-reports.ts';

/** The body of every error. */
export const errorBody = z.object({
  error: z.object({
    code: z.string().meta({ description: 'For programs: invalid-request, not-found, busy, ...' }),
    message: z.string().meta({ description: 'For people.' }),
    problems: z
      .array(z.object({ path: z.string(), message: z.string() }))
      .optional()
      .meta({ description: 'All problems of the request.' }),
  }),
});

/** Schemas with a name of their own in the description: more than one place refers to them. */
const REQUESTED = new Map<z.ZodType, string>([
  [identifier, 'Identifier'],
  [metricDefinition, 'MetricDefinition'],
  [alertDefinition, 'AlertDefinition'],
]);
const ANSWERED = new Map<z.ZodType, string>([
  [logEntry.shape.attributes.valueType, 'Json'],
  [logEntry, 'LogEntry'],
  [searchPage, 'SearchPage'],
  [histogram, 'Histogram'],
  [valueCounts, 'ValueCounts'],
  [metricReport, 'MetricReport'],
  [metricPoint, 'MetricPoint'],
  [alertReport, 'AlertReport'],
  [alertStatus, 'AlertStatus'],
  [alertEvent, 'AlertEvent'],
  [amountReport, 'Amount'],
  [deadLetterReport, 'DeadLetter'],
  [errorBody, 'Error'],
]);

type Described = Pick<Operation<never>, 'id' | 'answer' | 'body'>;

export interface Components {
  readonly schemas: Readonly<Record<string, JsonSchema>>;
  /** A reference to one of them; undefined: the schema has no name. */
  reference(schema: z.ZodType): { readonly $ref: string } | undefined;
}

/** The schemas of all requests and answers by name, with references to each other. */
export function openApiComponents(operations: readonly Described[]): Components {
  const requested = new Map(REQUESTED);
  const answered = new Map(ANSWERED);
  for (const { id, answer, body } of operations) {
    const name = `${id.charAt(0).toUpperCase()}${id.slice(1)}`;
    if (body !== undefined && !requested.has(body)) requested.set(body, `${name}Request`);
    if (answer === undefined || typeof answer === 'string' || answered.has(answer)) continue;
    answered.set(answer, `${name}Answer`);
  }
  const schemas = { ...jsonSchemas(requested, 'input'), ...jsonSchemas(answered, 'output') };
  return {
    schemas: withDefinitions(schemas),
    reference: (schema) => {
      const name = requested.get(schema) ?? answered.get(schema);
      return name === undefined ? undefined : { $ref: uri(name) };
    },
  };
}

function uri(name: string): string {
  return `#/components/schemas/${name}`;
}

function jsonSchemas(
  names: ReadonlyMap<z.ZodType, string>,
  io: 'input' | 'output',
): Readonly<Record<string, JsonSchema>> {
  const registry = z.registry<{ id: string }>();
  for (const [schema, id] of names) registry.add(schema, { id });
  const { schemas } = z.toJSONSchema(registry, {
    io,
    uri,
    unrepresentable: 'any',
    override: ({ jsonSchema }) => {
      // Every whole number is one that JavaScript can hold.
      if (jsonSchema.minimum === Number.MIN_SAFE_INTEGER) delete jsonSchema.minimum;
      if (jsonSchema.maximum === Number.MAX_SAFE_INTEGER) delete jsonSchema.maximum;
      // A later version may add fields to an answer: clients must ignore unknown fields.
      if (io === 'output' && isClosedOrOpen(jsonSchema.additionalProperties))
        delete jsonSchema.additionalProperties;
    },
  });
  return Object.fromEntries(
    Object.entries(schemas).map(([name, { $schema: _dialect, $id: _uri, ...schema }]) => [
      name,
      schema as JsonSchema,
    ]),
  );
}

/** `false`, or the empty schema of a loose object. */
function isClosedOrOpen(additional: unknown): boolean {
  return (
    additional === false || (typeof additional === 'object' && Object.keys(additional ?? {}).length === 0)
  );
}

/** Reports contain a definition as the client sent it; their own schemas cannot express this. */
function withDefinitions(
  schemas: Readonly<Record<string, JsonSchema>>,
): Readonly<Record<string, JsonSchema>> {
  const withDefinition = (report: string, definition: string) => {
    const { properties, ...rest } = schemas[report] ?? {};
    const described = { ...properties?.definition, $ref: uri(definition) };
    return { [report]: { ...rest, properties: { ...properties, definition: described } } };
  };
  return {
    ...schemas,
    ...withDefinition('MetricReport', 'MetricDefinition'),
    ...withDefinition('AlertReport', 'AlertDefinition'),
  };
}
