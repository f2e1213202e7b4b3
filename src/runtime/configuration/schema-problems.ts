import type { z } from 'zod';
import type { ConfigurationProblem } from './configuration-error.ts';
import { nearestName } from './unknown-variables.ts';

/**
 * Converts schema errors to problems: each is named by its path (`AGGREGATOR_FILE_CONFIGURATION[1].path`),
 * none quotes a value, which may be secret. `knownKeys`: the keys of the object at a path, to suggest the
 * intended one.
 */
export function schemaProblems(
  variable: string,
  error: z.ZodError,
  knownKeys: (path: readonly PropertyKey[]) => readonly string[],
): readonly ConfigurationProblem[] {
  return error.issues.flatMap((issue) => {
    const place = placeOf(variable, issue.path);
    if (issue.code !== 'unrecognized_keys') return [{ variable: place, message: messageOf(issue) }];
    const known = knownKeys(issue.path);
    return issue.keys.map((key) => ({
      variable: placeOf(place, [key]),
      message: unknownKey(key, known),
    }));
  });
}

/** The problems in one line, each with its place: `state.files[0].path: expected a text, found nothing`. */
export function schemaText(root: string, error: z.ZodError): string {
  return schemaProblems(root, error, () => [])
    .map(({ variable, message }) => `${variable}: ${message}`)
    .join('; ');
}

/** Zod's messages are replaced; those of a schema stay. */
function messageOf(issue: z.core.$ZodIssue): string {
  return isOwnWord(issue.message) ? ownWords(issue) : issue.message;
}

/** The beginnings of zod's English messages. */
function isOwnWord(message: string): boolean {
  return /^(?:Invalid |Too (?:small|big)|Unrecognized key|Duplicate )/.test(message);
}

function ownWords(issue: z.core.$ZodIssue): string {
  switch (issue.code) {
    case 'invalid_type':
      return `expected ${nameOf(issue.expected)}${foundType(issue)}`;
    case 'invalid_value':
      return `expected ${issue.values.length === 1 ? '' : 'one of '}${issue.values.map(String).join(', ')}`;
    case 'too_small':
      return `expected ${sizeText('at least', issue.minimum, issue.origin)}`;
    case 'too_big':
      return `expected ${sizeText('at most', issue.maximum, issue.origin)}`;
    case 'not_multiple_of':
      return `expected a multiple of ${issue.divisor}`;
    case 'invalid_format':
      return `expected a text in the form of ${FORMATS.get(issue.format) ?? issue.format}`;
    case 'invalid_union':
      return unionText(issue.errors.flat());
    case 'custom':
    case 'invalid_element':
    case 'invalid_key':
    case 'unrecognized_keys':
      return 'expected another value';
  }
}

function unionText(issues: readonly z.core.$ZodIssue[]): string {
  const expected = [...new Set(issues.map((each) => messageOf(each).split(', found ', 1)[0] ?? ''))];
  const parts = expected
    .filter((each) => each.startsWith('expected '))
    .map((each) => each.slice('expected '.length));
  return parts.length === 0 ? 'expected another value' : `expected ${parts.join(', or ')}`;
}

function foundType({ message }: z.core.$ZodIssue): string {
  const received = /received (\w+)$/.exec(message)?.[1];
  if (received === undefined) return '';
  return `, found ${received === 'undefined' ? 'nothing' : nameOf(received)}`;
}

function sizeText(bound: string, size: number | bigint, origin: string): string {
  if (origin === 'string')
    return size === 1 && bound === 'at least' ? 'some text' : `${bound} ${size} characters`;
  if (origin === 'array' || origin === 'set') return `${bound} ${size} ${size === 1 ? 'entry' : 'entries'}`;
  return `${bound} ${size}`;
}

const FORMATS: ReadonlyMap<string, string> = new Map([
  ['url', 'a URL'],
  ['regex', 'its pattern'],
  ['base64', 'base64'],
]);

function nameOf(type: string): string {
  return TYPES.get(type) ?? type;
}

const TYPES: ReadonlyMap<string, string> = new Map([
  ['array', 'a list'],
  ['boolean', 'true or false'],
  ['number', 'a number'],
  ['int', 'a whole number'],
  ['object', 'an object'],
  ['record', 'an object'],
  ['string', 'a text'],
  ['null', 'null'],
  ['NaN', 'no number'],
  ['Infinity', 'infinity'],
]);

function unknownKey(key: string, known: readonly string[]): string {
  const nearest = nearestName(key, known);
  return nearest === undefined ? 'is not a known key' : `is not a known key; did you mean "${nearest}"?`;
}

function placeOf(variable: string, path: readonly PropertyKey[]): string {
  return path.reduce<string>(
    (text, part) => (typeof part === 'number' ? `${text}[${part}]` : `${text}.${String(part)}`),
    variable,
  );
}
