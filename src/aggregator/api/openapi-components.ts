import { z } from 'zod';
import { histogram, logEntry, searchPage, valueCounts } from '../../logstore/logs/log-requests.ts';
import { alertDefinition, alertEvent, alertReport, alertStatus } from '../../monitoring/alert-definition.ts';
import {
  identifier,
  metricDefinition,
  metricPoint,
  metricReport,
} from '../../monitoring/metric-definition.ts';
import type { Operation } from './operation.ts';
import type { JsonSchema } from './request-schema.ts';

/** As every error is answered. */
export const errorBody = z.object({
  error: z.object({
    code: z.string().meta({ description: 'For programs: invalid-request, not-found, busy, ...' }),
    message: z.string().meta({ description: 'For people.' }),
    problems: z
      .array(z.object({ path: z.string(), message: z.string() }))
      .optional()
      .meta({ description: 'All that is wrong with a request, at once.' }),
  }),
});

/** What has a name of its own in the description, since more than one place speaks of it. */
const ASKED = new Map<z.ZodType, string>([
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
  [errorBody, 'Error'],
]);

export interface Components {
  readonly schemas: Readonly<Record<string, JsonSchema>>;
  /** To one of them. */
  reference(schema: z.ZodType): { readonly $ref: string };
}

/** The schemas of all that operations are asked and answer, each by a name, referring to each other. */
export function openApiComponents(operations: readonly Operation[]): Components {
  const answered = new Map(ANSWERED);
  for (const { id, answer } of operations) {
    if (answer === undefined || answer === 'events' || answered.has(answer)) continue;
    answered.set(answer, `${id.charAt(0).toUpperCase()}${id.slice(1)}Answer`);
  }
  const schemas = { ...jsonSchemas(ASKED, 'input'), ...jsonSchemas(answered, 'output') };
  return {
    schemas: withDefinitions(schemas),
    reference: (schema) => ({ $ref: uri(ASKED.get(schema) ?? answered.get(schema) ?? '') }),
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
      // That a whole number is one that JavaScript can hold goes without saying.
      if (jsonSchema.minimum === Number.MIN_SAFE_INTEGER) delete jsonSchema.minimum;
      if (jsonSchema.maximum === Number.MAX_SAFE_INTEGER) delete jsonSchema.maximum;
      // Answers may say more one day, and clients must not mind.
      if (io === 'output' && jsonSchema.additionalProperties === false)
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

/** Reports hold a definition as it came in; their schemas cannot say so themselves. */
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
