import { type Document, isMap, isScalar, LineCounter, type Pair, parseDocument } from 'yaml';
import { errorMessage } from '../error-message.ts';
import type { Variable, VariableTable } from './configuration.ts';
import type { ConfigurationProblem } from './configuration-error.ts';
import { nearestName } from './unknown-variables.ts';

/** A variable as a configuration file sets it. */
export interface FileValue {
  /** As the environment would have it. */
  readonly text: string;
  readonly line: number;
}

export interface ConfigurationFile {
  readonly values: ReadonlyMap<string, FileValue>;
  /** `variable`: a variable, or `line 3`. */
  readonly problems: readonly ConfigurationProblem[];
}

/** Names of the other half are permitted: both halves may share one file. */
const NAME = /^(?:AGGREGATOR|COLLECTOR|PAGERDUTY|SERVE_DB|LOGPLEX)_[A-Z0-9_]+$/;

/**
 * Reads a configuration file: YAML 1.2 with the names of the environment variables. JSON values are written as YAML, and
 * lists of a variable with commas as lists:
 *
 *     AGGREGATOR_RETRY_DELAY: 10s
 *     AGGREGATOR_FILE_CONFIGURATION:
 *       path: /var/log/all.log
 *     COLLECTOR_TAIL:
 *       - /var/log/*.log
 *       - /srv/app/log/*.json
 *
 * Pure. Never throws for any text.
 */
export function parseConfigurationFile(text: string, table: VariableTable): ConfigurationFile {
  const lines = new LineCounter();
  const document = parseDocument(text, {
    lineCounter: lines,
    prettyErrors: false,
    strict: true,
    version: '1.2',
  });
  if (document.errors.length > 0) {
    const problems = document.errors.map(({ message, pos: [offset] }) => {
      const { line, col } = lines.linePos(offset);
      return { variable: `line ${line}`, message: `is not valid YAML at column ${col}: ${message}` };
    });
    return { values: new Map(), problems };
  }
  const { contents } = document;
  if (contents === null) return { values: new Map(), problems: [] };
  if (!isMap(contents)) {
    const problem = { variable: 'line 1', message: 'expected lines such as AGGREGATOR_RETRY_DELAY: 10s' };
    return { values: new Map(), problems: [problem] };
  }
  const plain = plainValues(document);
  if (typeof plain === 'string')
    return { values: new Map(), problems: [{ variable: 'line 1', message: plain }] };
  const values = new Map<string, FileValue>();
  const problems: ConfigurationProblem[] = [];
  const variables = variablesByName(table);
  for (const pair of contents.items) {
    const { name, offset } = keyOf(pair);
    const { line } = lines.linePos(offset);
    if (!NAME.test(name) && !variables.has(name)) {
      problems.push({ variable: `line ${line}`, message: unknownName(name, [...variables.keys()]) });
      continue;
    }
    const value = textOfValue(plain[name], variables.get(name));
    if (value === undefined) problems.push({ variable: name, message: `has no value in line ${line}` });
    else values.set(name, { text: value, line });
  }
  return { values, problems };
}

/** The values as JSON has them, or a problem: aliases can describe more than any memory holds. */
function plainValues(document: Document): Readonly<Record<string, unknown>> | string {
  try {
    return document.toJS({ maxAliasCount: MAX_ALIASES }) as Readonly<Record<string, unknown>>;
  } catch (error) {
    return `cannot be used: ${errorMessage(error)}`;
  }
}

const MAX_ALIASES = 100;

function variablesByName(table: VariableTable): ReadonlyMap<string, Variable> {
  return new Map(
    Object.values(table).flatMap((variable) => [
      [variable.name, variable] as const,
      ...(variable.alias === undefined ? [] : [[variable.alias.name, variable] as const]),
    ]),
  );
}

function keyOf({ key }: Pair): { readonly name: string; readonly offset: number } {
  if (!isScalar(key)) return { name: '', offset: 0 };
  return { name: String(key.value), offset: key.range?.[0] ?? 0 };
}

function unknownName(name: string, known: readonly string[]): string {
  const wanted = name.toUpperCase().replaceAll(/[^A-Z0-9]+/g, '_');
  const near = known.find((each) => each.endsWith(`_${wanted}`)) ?? nearestName(wanted, known);
  const hint = near === undefined ? '' : `; did you mean ${near}?`;
  return `${JSON.stringify(name)} is not the name of a variable${hint}`;
}

/** undefined: there is none. */
function textOfValue(value: unknown, variable: Variable | undefined): string | undefined {
  if (value === null || value === undefined) return undefined;
  if (isSimple(value)) return String(value);
  const isJson = variable === undefined || variable.keys !== undefined || /\bJSON\b/.test(variable.format);
  if (isJson) return JSON.stringify(value);
  const parts = Array.isArray(value) ? (value as readonly unknown[]) : Object.entries(value).map(assignment);
  return parts.every(isSimple) ? parts.map(String).join(',') : JSON.stringify(value);
}

/** As in `OTEL_RESOURCE_ATTRIBUTES`. */
function assignment([key, value]: readonly [string, unknown]): unknown {
  return isSimple(value) ? `${encodeURIComponent(key)}=${encodeURIComponent(String(value))}` : value;
}

function isSimple(value: unknown): value is string | number | bigint | boolean {
  return ['string', 'number', 'bigint', 'boolean'].includes(typeof value);
}
