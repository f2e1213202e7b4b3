import { basename, resolve } from 'node:path';
import { z } from 'zod';
import type { Resource } from '../../records/resource.ts';
import { parseByteSize } from '../../runtime/configuration/byte-size.ts';
import { ConfigurationError } from '../../runtime/configuration/configuration-error.ts';
import { type ConfigurationOf, parseConfigurations } from '../configuration.ts';
import type { ConfiguredEmitter } from '../emitter.ts';
import { expandPath, MAX_NAME_BYTES, parsePathTemplate } from './path-template.ts';

const path = z
  .string()
  .refine((text) => text !== '' && !text.endsWith('/') && !text.includes('\0'), 'expected the path of a file')
  .refine(
    (text) => parsePathTemplate(text) !== undefined,
    'expected braces only around an attribute: {host.name}',
  )
  .refine(
    (text) => Buffer.byteLength(basename(text)) <= MAX_NAME_BYTES,
    `expected a name of at most ${MAX_NAME_BYTES} bytes`,
  )
  .transform((text) => resolve(text));

const rotateBytes = z
  .union(
    [z.number(), z.string().transform(parseByteSize)],
    'expected a number of bytes, or a text such as "100MiB"',
  )
  .refine(
    (bytes) => Number.isSafeInteger(bytes) && Number(bytes) >= 1,
    'expected a number of bytes, or a text such as "100MiB"',
  )
  .transform(Number);

const mode = z
  .string()
  .regex(/^0?[0-7]{3}$/, 'expected permissions in octal, such as "0640"')
  .transform((text) => Number.parseInt(text, 8));

const shape = {
  /** Absolute once parsed. */
  path: path.meta({
    format: 'path',
    description:
      'Can contain placeholders for resource attributes: `/var/log/all/{host.name}.log`. `{record.host.name}` is the host that wrote the record, such as that of a syslog message, and `{record.NAME}` any attribute of the record with a text as its value; a record without it has that of the resource. Senders choose these values, so they choose the number of files: at most `max_open_files` of them are open.',
  }),
  format: z.enum(['body', 'json']).default('body').meta({
    description: '`body`: the unchanged records; `json`: one JSON object per record.',
  }),
  fsync: z.boolean().default(true).meta({
    description: 'If false, a crash of the machine can lose records; a crash of the process cannot.',
  }),
  rotate_bytes: rotateBytes.optional().meta({
    format: 'number of bytes, or a text such as `"100MiB"`',
    description: 'Size at which a file is renamed to the next number and a new one is started.',
  }),
  mode: mode.prefault('0640').meta({ format: 'octal text', description: 'Permissions of new files.' }),
  max_open_files: z
    .int()
    .min(1)
    .max(4096)
    .default(64)
    .meta({ format: '1 to 4096', description: 'Maximum number of open files.' }),
};

export const FILE_FORMAT = {
  type: 'file',
  variable: 'AGGREGATOR_FILE_CONFIGURATION',
  example: '{"path": "/var/log/all/{host.name}.log", "rotate_bytes": "1GiB"}',
  shape,
} as const;

export type FileConfiguration = ConfigurationOf<typeof shape>;

/** The file for records with this resource, and the first file that a rotation makes of it. */
export function outputPaths(
  { path: text, rotate_bytes: rotates }: Pick<FileConfiguration, 'path' | 'rotate_bytes'>,
  resource: Resource,
): readonly string[] {
  const template = parsePathTemplate(text);
  if (template === undefined) return [];
  const expanded = expandPath(template, resource);
  return rotates === undefined ? [expanded] : [expanded, `${expanded}.1`];
}

export function parseFileConfiguration(value: string): readonly ConfiguredEmitter<FileConfiguration>[] {
  const configured = parseConfigurations({ ...FILE_FORMAT, value });
  const paths = new Set<string>();
  const problems = configured.flatMap(({ configuration }, index) => {
    if (!paths.has(configuration.path)) {
      paths.add(configuration.path);
      return [];
    }
    return [
      { variable: `${FILE_FORMAT.variable}[${index}].path`, message: 'another emitter writes to this path' },
    ];
  });
  if (problems.length > 0) throw new ConfigurationError(problems);
  return configured;
}
