import { z } from 'zod';
import {
  ConfigurationError,
  type ConfigurationProblem,
} from '../runtime/configuration/configuration-error.ts';
import { jsonProblem } from '../runtime/configuration/json-problem.ts';
import { schemaProblems } from '../runtime/configuration/schema-problems.ts';
import type { ConfigurationFormat, ConfiguredEmitter } from './emitter.ts';

/**
 * Describes the configuration variable of an emitter type: a JSON object, or a list of them for several
 * emitters. The keys of the type are given as the shape of a zod object; all types have `name`, `start`
 * and `filter`.
 *
 *     AGGREGATOR_FILE_CONFIGURATION=[{"path": "/a", "name": "a"}, {"path": "/b", "name": "b"}]
 *
 * All problems are reported at once, each with its path (`AGGREGATOR_FILE_CONFIGURATION[1].path`). No message
 * quotes a value, since any value may be a secret.
 */
export interface ConfigurationText<Shape extends z.ZodRawShape> extends ConfigurationFormat<Shape> {
  readonly value: string;
}

/** The configuration of an emitter of this shape, without `name`, `start` and `filter`. */
export type ConfigurationOf<Shape extends z.ZodRawShape> = Omit<
  z.output<z.ZodObject<Shape>>,
  'name' | 'start' | 'filter'
>;

export function parseConfigurations<Shape extends z.ZodRawShape>(
  text: ConfigurationText<Shape>,
): readonly ConfiguredEmitter<ConfigurationOf<Shape>>[] {
  const schema = z.strictObject({ ...sharedShape(text.type), ...text.shape });
  const problems: ConfigurationProblem[] = [];
  const configured = entriesOf(text).flatMap(({ place, entry }) => {
    const result = schema.safeParse(entry);
    if (!result.success) {
      const keys = Object.keys(schema.shape);
      problems.push(...schemaProblems(place, result.error, (path) => (path.length === 0 ? keys : [])));
      return [];
    }
    // Only the caller knows the shape; this function treats the parsed value as a record.
    const { name, start, filter, ...configuration } = result.data as Settings & Record<string, unknown>;
    const settings = { name, start, ...(filter !== undefined && { filter }) };
    return [{ ...settings, configuration: configuration as ConfigurationOf<Shape> }];
  });
  problems.push(...duplicateNames(configured.map(({ name }) => ({ variable: text.variable, name }))));
  if (problems.length > 0) throw new ConfigurationError(problems);
  return configured;
}

/** Reports each name that several emitters use, also across variables. */
export function duplicateNames(
  named: readonly { readonly variable: string; readonly name: string }[],
): readonly ConfigurationProblem[] {
  const seen = new Set<string>();
  return named.flatMap(({ variable, name }) => {
    if (seen.has(name)) {
      return [{ variable, message: `two emitters are named "${name}"; give each its own "name"` }];
    }
    seen.add(name);
    return [];
  });
}

const OFF = new Set(['', '0', 'false', 'no', 'off']);

/**
 * Like parseConfigurations, but the variable can also be a switch: a falsy word configures nothing; any other
 * word selects the configuration that `ofWord` returns, by default `{}`.
 */
export function parseSwitchedConfigurations<Shape extends z.ZodRawShape>(
  { value, ...text }: ConfigurationText<Shape>,
  ofWord: (word: string) => string = () => '{}',
): readonly ConfiguredEmitter<ConfigurationOf<Shape>>[] {
  const kind = switchOf(value);
  if (kind === 'off') return [];
  return parseConfigurations({ ...text, value: kind === 'json' ? value : ofWord(value) });
}

/** `off` for a falsy word, `json` for a JSON object or list, `on` for any other word. */
export function switchOf(value: string): 'off' | 'on' | 'json' {
  const word = value.trim().toLowerCase();
  if (OFF.has(word)) return 'off';
  return word.startsWith('{') || word.startsWith('[') ? 'json' : 'on';
}

const NAME = /^[A-Za-z0-9][A-Za-z0-9._-]{0,62}$/;

/** The keys of every emitter. The default name is the type. */
export function sharedShape(type: string) {
  return {
    name: z
      .string()
      .regex(NAME, 'expected 1 to 63 letters, digits, dots, underscores and hyphens, a letter or digit first')
      .default(type)
      .meta({
        format: 'text',
        default: 'the type',
        description:
          'Name of the emitter. Its position in the queue and its state belong to this name. Must be unique.',
      }),
    start: z.enum(['oldest', 'now']).default('oldest').meta({
      description:
        'Start position of a new name: the oldest queued record, or the records that are accepted from now on.',
    }),
    filter: z
      .string()
      .regex(NAME, 'expected the name of a file without `.filter`')
      .optional()
      .meta({
        format: 'text',
        description:
          'Name of the filter: the file `NAME.filter` in `AGGREGATOR_FILTER_DIRECTORY`. Default: `default`, if there ' +
          'is such a file. `none` passes all records.',
      }),
  };
}

interface Settings {
  readonly name: string;
  readonly start: 'oldest' | 'now';
  readonly filter?: string;
}

/** The objects in the value, each with its path for messages. */
function entriesOf(text: ConfigurationText<z.ZodRawShape>): { place: string; entry: unknown }[] {
  const { variable } = text;
  const parsed = parseJson(text);
  if (!Array.isArray(parsed)) return [{ place: variable, entry: parsed }];
  if (parsed.length === 0) throw problem(variable, 'expected at least one emitter in the list');
  return parsed.map((entry: unknown, index) => ({ place: `${variable}[${index}]`, entry }));
}

function parseJson({ variable, value, example }: ConfigurationText<z.ZodRawShape>): unknown {
  try {
    return JSON.parse(value);
  } catch {
    throw problem(variable, jsonProblem('an object or a list of them', value, example));
  }
}

function problem(variable: string, message: string): ConfigurationError {
  return new ConfigurationError([{ variable, message }]);
}
