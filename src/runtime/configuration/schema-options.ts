import { z } from 'zod';

/**
 * The keys of a configuration object, for docs/configuration.md and `--help`. The schema is their only list:
 *
 *     timeout: duration.prefault('10s').meta({ format: 'duration', description: 'Timeout of connecting.' })
 *
 * `format` may be absent for enums and booleans. `default` is only for a default that the schema does not
 * contain; otherwise the value of `.default()` or `.prefault()` is shown, as written in JSON.
 */
export function schemaOptions(shape: z.core.$ZodShape): readonly SchemaOption[] {
  return Object.entries(shape).map(([key, schema]) => {
    const { format, default: given, description = '' } = optionMeta.parse(z.globalRegistry.get(schema) ?? {});
    const standard = given ?? defaultOf(schema);
    return {
      key,
      format: format ?? formatOf(schema),
      isRequired: schema._zod.optin === undefined,
      ...(standard !== undefined && { default: standard }),
      description,
    };
  });
}

/** Markdown. */
export interface SchemaOption {
  readonly key: string;
  /** Accepted values. */
  readonly format: string;
  readonly isRequired: boolean;
  readonly default?: string;
  readonly description: string;
}

/** The description of `ca_file` beside `ca`: a key that names a file with the value. */
export function fileOf(key: string) {
  return {
    format: 'path',
    description: `Alternative to \`${key}\`: a file with it. Read again when it changes, and at SIGHUP.`,
  } as const;
}

const optionMeta = z.object({
  format: z.string().optional(),
  default: z.string().optional(),
  description: z.string().optional(),
});

function defaultOf(schema: z.core.$ZodType): string | undefined {
  if (!(schema instanceof z.ZodDefault || schema instanceof z.ZodPrefault)) return undefined;
  return JSON.stringify(schema.def.defaultValue);
}

function formatOf(schema: z.core.$ZodType): string {
  if (schema instanceof z.ZodBoolean) return '`true` or `false`';
  if (schema instanceof z.ZodEnum) return alternatives(schema.options);
  const isWrapped =
    schema instanceof z.ZodDefault || schema instanceof z.ZodPrefault || schema instanceof z.ZodOptional;
  return isWrapped ? formatOf(schema.def.innerType) : '';
}

function alternatives(values: readonly unknown[]): string {
  const texts = values.map((value) => `\`${JSON.stringify(value)}\``);
  return texts.length < 2 ? texts.join() : `${texts.slice(0, -1).join(', ')} or ${texts.at(-1)}`;
}
