import { z } from 'zod';
import { ENCODING, FORMAT_OPTIONS, TIME_ZONE } from '../../../../formats/marker-attributes.ts';
import { EMPTY_RESOURCE, type Resource } from '../../../../records/resource.ts';
import { ConfigurationError } from '../../../../runtime/configuration/configuration-error.ts';
import { jsonProblem } from '../../../../runtime/configuration/json-problem.ts';
import { schemaOptions } from '../../../../runtime/configuration/schema-options.ts';
import { schemaProblems } from '../../../../runtime/configuration/schema-problems.ts';
import {
  durationMsSchema,
  encodingSchema,
  formatSchema,
  type Multiline,
  multilineSchema,
  resourceSchema,
  zoneSchema,
} from './entry-schemas.ts';

/** The first records decide whether they are `syslog` or `plain`. */
export const AUTOMATIC_FORMAT = 'auto';

/** One group of files with the same settings. */
export interface TailEntry {
  /** Globs. Relative ones begin at the working directory. */
  readonly paths: readonly string[];
  /**
   * Globs of files that are not read. A glob without a slash matches names.
   */
  readonly exclude: readonly string[];
  /** The name of a format, or `auto`. */
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
  /** Which rotated and compressed files are read. Default: `unread`. */
  readonly archives?: Archives;
}

/**
 * `unread`: those that continue a known stream, or were written after the last scan. `all`: also those of the time before
 * the first start.
 */
export type Archives = 'unread' | 'all' | 'none';

/** The entries of `COLLECTOR_TAIL`: every glob read as lines from the beginning. */
export function tailEntriesFromGlobs(globs: readonly string[]): readonly TailEntry[] {
  if (globs.length === 0) return [];
  return [
    { paths: globs, exclude: [], format: AUTOMATIC_FORMAT, resource: EMPTY_RESOURCE, startAt: 'beginning' },
  ];
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

/** The attributes by which an aggregator knows what the operator has described of the records. */
export function describedResource(
  resource: Resource,
  { options, timezone, encoding }: RecordDescription,
): Resource {
  if (options === undefined && timezone === undefined && encoding === undefined) return resource;
  const described = new Map(resource);
  if (options !== undefined) described.set(FORMAT_OPTIONS, options);
  if (timezone !== undefined) described.set(TIME_ZONE, timezone);
  if (encoding !== undefined) described.set(ENCODING, encoding);
  return described;
}

export interface RecordDescription {
  /** The options of the format. */
  readonly options?: string | undefined;
  readonly timezone?: string | undefined;
  /** Of the bytes; undefined is UTF-8. */
  readonly encoding?: string | undefined;
}

const entryShape = {
  paths: z.array(globSchema).min(1, 'expected at least one path or glob').meta({
    format: 'list of globs',
    description:
      'Files to read. Compressed files are not followed; `archives` decides which of them are read.',
  }),
  exclude: z.array(globSchema).default([]).meta({
    format: 'list of globs',
    description: 'Files to skip. A glob without a slash matches the file name in any directory: `*.tmp`.',
  }),
  format: formatSchema.prefault(AUTOMATIC_FORMAT).meta({
    format: 'name of a format',
    description:
      'Format in which the aggregator parses the records for its emitters: `plain`, `json`, `combined`, `syslog`, `cri`, `access:...`, ... ' +
      'With `auto`, the first records decide whether they are `syslog` or `plain`.',
  }),
  timezone: zoneSchema.optional().meta({
    format: 'zone',
    description:
      'Zone of times that have none, such as `Europe/Paris` or `+02:00`. Default: for `syslog` and error logs the zone of this machine.',
  }),
  encoding: encodingSchema.optional().meta({
    format: 'name of an encoding',
    description:
      'Encoding of the files if it is not UTF-8, such as `utf-16`, `windows-1252` or `shift_jis`. The bytes stay as they are, and are ' +
      'read in this encoding when they are parsed. Default: UTF-8, or UTF-16 if a file begins with its byte order mark.',
  }),
  resource: resourceSchema.default(EMPTY_RESOURCE).meta({
    format: 'object of texts',
    default: '{}',
    description: 'Resource attributes that are added to every record.',
  }),
  start_at: z.enum(['beginning', 'end']).default('beginning').meta({
    description: 'Start position of a file that existed before the first start and is not known.',
  }),
  ignore_older: durationMsSchema.optional().meta({
    format: 'duration',
    description: 'Do not start to read files that were last modified longer ago than this.',
  }),
  archives: z
    .enum(['unread', 'all', 'none'])
    .default('unread')
    .meta({
      description:
        'Rotated files that are compressed (`.gz`, `.zst`). `unread`: the rest of a log that was followed, and generations that ' +
        'were written after the last scan. `all`: also those that existed at the first start, the oldest first. `none`: none of them.',
    }),
  multiline: multilineSchema.optional().meta({
    format: '`{"start": regex}` or `{"continue": regex}`',
    description: 'How lines are joined: a matching line starts a record, or belongs to the record before it.',
  }),
};

/** For --help and the documentation. */
export const TAIL_ENTRY_OPTIONS = schemaOptions(entryShape);

const entrySchema = z.strictObject(entryShape).transform(
  ({ start_at, ignore_older, multiline, format, timezone, archives, encoding, ...entry }): TailEntry => ({
    ...entry,
    format: format.name,
    resource: describedResource(entry.resource, { options: format.options, timezone, encoding }),
    startAt: start_at,
    ...(ignore_older === undefined ? {} : { ignoreOlderMs: ignore_older }),
    ...(multiline === undefined ? {} : { multiline }),
    ...(archives === 'unread' ? {} : { archives }),
  }),
);

const entriesSchema = z.array(entrySchema).min(1, 'expected at least one entry');
