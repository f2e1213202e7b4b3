import { resolve } from 'node:path';
import { z } from 'zod';
import { EMPTY_RESOURCE } from '../../../records/resource.ts';
import { ConfigurationError } from '../../../runtime/configuration/configuration-error.ts';
import { jsonProblem } from '../../../runtime/configuration/json-problem.ts';
import { schemaOptions } from '../../../runtime/configuration/schema-options.ts';
import { schemaProblems } from '../../../runtime/configuration/schema-problems.ts';
import {
  durationMsSchema,
  encodingSchema,
  formatSchema,
  multilineSchema,
  resourceSchema,
  zoneSchema,
} from '../tail/files/entry-schemas.ts';
import { AUTOMATIC_FORMAT, describedResource, type TailEntry } from '../tail/files/tail-configuration.ts';

/** One upload directory. */
export interface HarvestEntry {
  /** Absolute. */
  readonly path: string;
  /** A file is complete when it was unchanged for this time. */
  readonly completeMs: number;
  readonly after: Afterwards;
  /** Globs of names that are not uploads, or not yet. */
  readonly ignore: readonly string[];
  readonly recursive: boolean;
  /** Absolute. The directory for files that cannot be read or are rejected. */
  readonly errorDirectory?: string;
  /** How the files are read. */
  readonly reading: TailEntry;
}

/** The action for a file of which every byte is accepted. */
export type Afterwards =
  | { readonly kind: 'delete' }
  /** `directory`: absolute. */
  | { readonly kind: 'move'; readonly directory: string }
  | { readonly kind: 'keep' };

const NAME = 'COLLECTOR_HARVEST';
const EXAMPLE = '[{"path": "/srv/upload", "after": "delete"}]';

const directory = z
  .string()
  .refine((text) => text !== '' && !text.includes('\0'), 'expected the path of a directory')
  .transform((text) => resolve(text));

const afterwards = z.string().transform((text, context): Afterwards => {
  if (text === 'delete' || text === 'keep') return { kind: text };
  if (text.startsWith('move:') && text.length > 'move:'.length)
    return { kind: 'move', directory: resolve(text.slice('move:'.length)) };
  context.addIssue({ code: 'custom', message: 'expected "delete", "keep" or "move:DIRECTORY"' });
  return z.NEVER;
});

const name = z
  .string()
  .refine((text) => text !== '' && !text.includes('/'), 'expected a glob of names, without a slash');

const shape = {
  path: directory.meta({ format: 'path', description: 'Directory into which files are uploaded.' }),
  complete: durationMsSchema.prefault('20s').meta({
    format: 'duration',
    description:
      'A file is complete when its size and its times were unchanged for this time. It must be longer than the ' +
      'longest pause of an upload. A file that is renamed from an ignored name is complete at once.',
  }),
  after: afterwards.prefault('keep').meta({
    format: '`"delete"`, `"keep"` or `"move:DIRECTORY"`',
    description:
      'What happens with a file when the aggregator has accepted all of it. A directory of another file system is ' +
      'possible: the file is copied, flushed to disk, and then deleted.',
  }),
  ignore: z.array(name).default(['.*', '*.part', '*.tmp', '*.filepart']).meta({
    format: 'list of globs',
    description: 'Names of files and directories to ignore: the temporary names of uploads.',
  }),
  recursive: z.boolean().default(false).meta({ description: 'Also read the directories below.' }),
  format: formatSchema.prefault(AUTOMATIC_FORMAT).meta({
    format: 'name of a format',
    description:
      'Format in which the aggregator parses the records for its emitters, as in `COLLECTOR_TAIL_CONFIGURATION`. ' +
      '`"auto"`: the first records decide between `syslog` and `plain`.',
  }),
  timezone: zoneSchema.optional().meta({
    format: 'zone such as `"Europe/Paris"` or `"+02:00"`',
    description: 'Zone of times that name none.',
  }),
  encoding: encodingSchema.optional().meta({
    format: 'name of an encoding',
    description: 'Encoding of the files if it is not UTF-8, as in `COLLECTOR_TAIL_CONFIGURATION`.',
  }),
  resource: resourceSchema.default(EMPTY_RESOURCE).meta({
    format: 'object of texts',
    default: '{}',
    description: 'Resource attributes that are added to every record.',
  }),
  multiline: multilineSchema.optional().meta({
    format: '`{"start": regex}` or `{"continue": regex}`',
    description: 'How lines are joined, as in `COLLECTOR_TAIL_CONFIGURATION`.',
  }),
  error_directory: directory.optional().meta({
    format: 'path',
    description:
      'Files that cannot be read, are compressed, or were rejected by the aggregator are moved there. Without it, ' +
      'they stay, and are tried again.',
  }),
};

export const HARVEST_KEYS = schemaOptions(shape);

const entrySchema = z.strictObject(shape).transform((options): HarvestEntry => {
  const { path, complete, after, ignore, recursive, multiline, error_directory } = options;
  const { format, timezone, encoding } = options;
  const resource = describedResource(options.resource, { options: format.options, timezone, encoding });
  return {
    ...{ path, completeMs: complete, after, ignore, recursive },
    ...(error_directory !== undefined && { errorDirectory: error_directory }),
    reading: {
      ...{ paths: [path], exclude: [], format: format.name, resource, startAt: 'beginning' },
      ...(multiline !== undefined && { multiline }),
    },
  };
});

const entriesSchema = z.array(entrySchema).min(1, 'expected at least one entry');

/** Reads `COLLECTOR_HARVEST`, a JSON list. Throws a ConfigurationError that names every problem. */
export function parseHarvest(text: string): readonly HarvestEntry[] {
  const parsed = entriesSchema.safeParse(parseJson(text));
  if (parsed.success) return parsed.data;
  const keysOf = (path: readonly PropertyKey[]) => (path.length === 1 ? Object.keys(shape) : []);
  throw new ConfigurationError(schemaProblems(NAME, parsed.error, keysOf));
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    const message = jsonProblem('a list of entries', text, EXAMPLE);
    throw new ConfigurationError([{ variable: NAME, message }]);
  }
}
