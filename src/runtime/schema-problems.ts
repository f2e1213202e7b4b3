import type { z } from 'zod';
import type { ConfigurationProblem } from './configuration-error.ts';
import { nearestName } from './unknown-variables.ts';

/**
 * What a schema found, in our words: each problem named by its place (`AGGREGATOR_FILE_CONFIGURATION[1].path`), none of
 * them quoting a value, since any may be secret. `knownKeys`: of the object at a path, to guess what was meant.
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

/** Zod's own words become ours; those that a schema brings along stay. */
function messageOf({ message }: z.core.$ZodIssue): string {
  return message
    .replace(/^Invalid input: expected (\w+), received (\w+)$/, (_, expected: string, received: string) => {
      const found = received === 'undefined' ? 'nothing' : nameOf(received);
      return `expected ${nameOf(expected)}, found ${found}`;
    })
    .replace(/^Invalid option: expected one of (.+)$/, (_, options: string) => {
      return `expected one of ${options.replaceAll('"', '').split('|').join(', ')}`;
    });
}

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
