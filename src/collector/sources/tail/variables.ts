import {
  type FormatDescription,
  parseFormatDescription,
} from '../../../formats/described/format-description.ts';
import { encodingNamed, type NamedEncoding } from '../../../formats/encodings/encoding-named.ts';
import { InvalidValue, type VariableTable } from '../../../runtime/configuration/configuration.ts';
import { ConfigurationError } from '../../../runtime/configuration/configuration-error.ts';
import { nearestName } from '../../../runtime/configuration/unknown-variables.ts';
import { BOOLEAN_FORMAT, booleanValue, nonEmptyText } from '../../../runtime/configuration/value-parsers.ts';
import {
  parseTailConfiguration,
  TAIL_ENTRY_OPTIONS,
  tailEntriesFromGlobs,
} from './files/tail-configuration.ts';

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
    keys: TAIL_ENTRY_OPTIONS,
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
  sourceEncoding: {
    name: 'COLLECTOR_SOURCE_ENCODING',
    flag: '--encoding',
    description:
      'Encoding of the file of `COLLECTOR_SOURCE` if it is not UTF-8, such as `utf-16` or `windows-1252`.',
    format: 'name of an encoding',
    example: 'utf-16',
    parse: namedEncoding,
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

function namedEncoding(text: string): NamedEncoding {
  const named = encodingNamed(text, nearestName);
  if (typeof named !== 'string') return named;
  throw new ConfigurationError([{ variable: 'COLLECTOR_SOURCE_ENCODING', message: named }]);
}

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
