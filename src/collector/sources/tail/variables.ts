import {
  type FormatDescription,
  parseFormatDescription,
} from '../../../formats/described/format-description.ts';
import { InvalidValue, type VariableTable } from '../../../runtime/configuration/configuration.ts';
import type { SchemaOption } from '../../../runtime/configuration/schema-options.ts';
import { BOOLEAN_FORMAT, booleanValue, nonEmptyText } from '../../../runtime/configuration/value-parsers.ts';
import { parseTailConfiguration, tailEntriesFromGlobs } from './files/tail-configuration.ts';

/** The keys of `entryShape` in files/tail-configuration.ts. */
const ENTRY_KEYS: readonly SchemaOption[] = [
  {
    key: 'paths',
    format: 'list of globs',
    isRequired: true,
    description: 'Files to read. Compressed files (`.gz`, `.zst`, `.xz`, `.bz2`, `.zip`) are skipped.',
  },
  {
    key: 'exclude',
    format: 'list of globs',
    isRequired: false,
    description: 'Files to skip. A glob without a slash matches the file name in any directory: `*.tmp`.',
  },
  {
    key: 'format',
    format: 'name of a format',
    default: '"auto"',
    isRequired: false,
    description:
      'Format in which the aggregator parses the records for its emitters: `plain`, `json`, `combined`, `syslog`, `access:...`, ... ' +
      'With `auto`, the first records decide whether they are `syslog` or `plain`.',
  },
  {
    key: 'timezone',
    format: 'zone',
    isRequired: false,
    description:
      'Zone of times that have none, such as `Europe/Paris` or `+02:00`. Default: for `syslog` and error logs the zone of this machine.',
  },
  {
    key: 'resource',
    format: 'object of texts',
    isRequired: false,
    description: 'Resource attributes that are added to every record.',
  },
  {
    key: 'start_at',
    format: '`"beginning"` or `"end"`',
    default: '"beginning"',
    isRequired: false,
    description: 'Start position of a file that existed before the first start and is not known.',
  },
  {
    key: 'ignore_older',
    format: 'duration',
    isRequired: false,
    description: 'Do not start to read files that were last modified longer ago than this.',
  },
  {
    key: 'multiline',
    format: '`{"start": regex}` or `{"continue": regex}`',
    isRequired: false,
    description: 'How lines are joined: a matching line starts a record, or belongs to the record before it.',
  },
];

export const TAIL_VARIABLES = {
  tail: {
    name: 'COLLECTOR_TAIL',
    flag: '--tail',
    description: 'Files to follow, one record per line. Quote globs, so that the shell does not expand them.',
    format: 'comma-separated globs',
    example: '/var/log/nginx/*.log,/var/log/syslog',
    parse: (text: string) => tailEntriesFromGlobs(globList(text)),
  },
  tailConfiguration: {
    name: 'COLLECTOR_TAIL_CONFIGURATION',
    flag: '--tail-configuration',
    file: true,
    description: 'Files to follow, with all options. Adds to `COLLECTOR_TAIL`.',
    format: 'JSON list of objects; each describes a group of files that are read alike',
    keys: ENTRY_KEYS,
    example:
      '[{"paths": ["/var/log/nginx/access.log*"], "format": "combined", "resource": {"service.name": "web"}}]',
    parse: (text: string) => parseTailConfiguration(text, 'COLLECTOR_TAIL_CONFIGURATION'),
  },
  sourceFile: {
    name: 'COLLECTOR_SOURCE',
    flag: '--source',
    description:
      'Log to read: short for a `COLLECTOR_TAIL_CONFIGURATION` of this one file, by default with the format `combined`, ' +
      'and `COLLECTOR_ONCE`. The run prints at its end how much was read.',
    format: 'path',
    example: '/var/log/nginx/access.log',
    parse: nonEmptyText,
  },
  sourceFormat: {
    name: 'COLLECTOR_SOURCE_FORMAT',
    flag: '--format',
    description:
      'Format of the file of `COLLECTOR_SOURCE`, such as `json`, `syslog`, `access:%h %l %u %t "%r" %>s %b` or `json?time=ts`.',
    format: 'name or description of a format',
    default: 'combined',
    example: 'json?time=ts&level=lvl',
    parse: describedFormat,
  },
  watch: {
    name: 'COLLECTOR_WATCH',
    flag: '--watch',
    description: 'Keep following the file of `COLLECTOR_SOURCE`, even if it does not exist yet.',
    format: BOOLEAN_FORMAT,
    default: '0',
    example: '1',
    boolean: true,
    parse: booleanValue,
  },
  now: {
    name: 'COLLECTOR_NOW',
    flag: '--now',
    description:
      'Use the time of reading instead of the time in the records of `COLLECTOR_SOURCE`: to try out an old log.',
    format: BOOLEAN_FORMAT,
    default: '0',
    example: '1',
    boolean: true,
    parse: booleanValue,
  },
} as const satisfies VariableTable;

function describedFormat(text: string): FormatDescription {
  const described = parseFormatDescription(text);
  if (typeof described !== 'string') return described;
  throw new InvalidValue(described.replace(/^expected /, ''));
}

/** Splits at commas, except within braces: `/var/log/{a,b}.log` is one glob. */
function globList(text: string): readonly string[] {
  const globs = text.split(/,(?![^{]*\})/).map((glob) => glob.trim());
  if (globs.some((glob) => glob === '')) throw new InvalidValue('globs with single commas between them');
  return globs;
}
