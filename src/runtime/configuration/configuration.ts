import { ConfigurationError, type ConfigurationProblem } from './configuration-error.ts';
import type { SchemaOption } from './schema-options.ts';

/**
 * Configuration is variables, and variables are data: a table of them yields the typed values, the flags of
 * the command, `--help`, `--check` and docs/configuration.md. Adding a variable is adding one entry.
 */
export interface Variable<T = unknown> {
  /** `AGGREGATOR_MAX_BATCH_SIZE` */
  readonly name: string;
  /** `--max-batch-size` */
  readonly flag: string;
  /** Another name and flag for the same value. The name itself wins. */
  readonly alias?: { readonly name: string; readonly flag: string };
  readonly description: string;
  /** The accepted values, for people. */
  readonly format: string;
  /** The keys of a JSON object or of a list of them, for the docs and `--help`. */
  readonly keys?: readonly SchemaOption[];
  /** A value that can be pasted. */
  readonly example: string;
  /**
   * In the form that users write; read by `parse` like any other text. Absent: the value may be undefined.
   */
  readonly default?: string;
  /** The value is never shown. Implies a `_FILE` form. */
  readonly secret?: true;
  /** The value may be read from the file that `<name>_FILE` names. */
  readonly file?: true;
  /** A running process uses the new content of that file. */
  readonly reloads?: true;
  /** The flag may be given without a value, and means true then. */
  readonly boolean?: true;
  /** Pure. Throws InvalidValue, or ConfigurationError for several problems. */
  readonly parse: (text: string) => T;
}

export type VariableTable = Readonly<Record<string, Variable>>;

export type Environment = Readonly<Record<string, string | undefined>>;

/** The values of a table: never undefined for a variable with a default. */
export type Values<Table extends VariableTable> = {
  readonly [Key in keyof Table]: Table[Key] extends { readonly default: string }
    ? ReturnType<Table[Key]['parse']>
    : ReturnType<Table[Key]['parse']> | undefined;
};

export interface ConfigurationWarning {
  readonly variable: string;
  readonly message: string;
}

/** An invalid text: the expected value, and the position in the value, if it has parts. */
export class InvalidValue extends Error {
  override readonly name = 'InvalidValue';
  /** `path`: `.paths[0]`, appended to the name of the variable. */
  readonly parts: readonly { readonly path: string; readonly message: string }[];

  /**
   * `expected`: continues the sentence "expected ...". The caller, which knows whether the value is secret,
   * adds the found value.
   */
  constructor(expected: string, parts: readonly { readonly path: string; readonly message: string }[] = []) {
    super(`expected ${expected}`);
    this.parts = parts;
  }
}

/**
 * Reads the variables of a table from an environment. No I/O. An invalid variable gets its default, so that
 * the caller can find further problems before it throws them all together (`throwProblems`).
 */
export function parseVariables<Table extends VariableTable>(
  table: Table,
  environment: Environment,
): { values: Values<Table>; problems: ConfigurationProblem[] } {
  const problems: ConfigurationProblem[] = [];
  const values = Object.entries(table).map(([key, variable]) => {
    const text = textOf(variable, environment);
    if (text !== undefined) {
      try {
        return [key, variable.parse(text)];
      } catch (error) {
        problems.push(...problemsOf(error, variable, text));
      }
    }
    return [key, variable.default === undefined ? undefined : variable.parse(variable.default)];
  });
  return { values: Object.fromEntries(values) as Values<Table>, problems };
}

/** The configured value, by its name or its alias. */
export function textOf({ name, alias }: Variable, environment: Environment): string | undefined {
  return environment[name] ?? (alias && environment[alias.name]);
}

function problemsOf(error: unknown, variable: Variable, text: string): readonly ConfigurationProblem[] {
  if (error instanceof ConfigurationError) return error.problems;
  if (!(error instanceof InvalidValue)) throw error;
  if (error.parts.length > 0) {
    return error.parts.map(({ path, message }) => ({
      variable: variable.name + path,
      message,
    }));
  }
  return [{ variable: variable.name, message: `${error.message}, found ${foundText(variable, text)}` }];
}

const SHOWN_CHARACTERS = 80;

function foundText(variable: Variable, text: string): string {
  if (text === '') return 'an empty value';
  if (variable.secret) return `something else (not shown, ${text.length} characters)`;
  const shown = text.length > SHOWN_CHARACTERS ? `${text.slice(0, SHOWN_CHARACTERS)}...` : text;
  return JSON.stringify(shown);
}

export function throwProblems(problems: readonly ConfigurationProblem[]): void {
  if (problems.length > 0) throw new ConfigurationError(problems);
}

/** Whether `<name>_FILE` may be used instead of the variable. */
export function hasFileForm(variable: Variable): boolean {
  return variable.secret === true || variable.file === true;
}

/** Every name that the table reads from an environment. */
export function variableNames(table: VariableTable): readonly string[] {
  return Object.values(table).flatMap((variable) => [
    variable.name,
    ...(hasFileForm(variable) ? [`${variable.name}${FILE_SUFFIX}`] : []),
    ...(variable.alias === undefined ? [] : [variable.alias.name]),
  ]);
}

export const FILE_SUFFIX = '_FILE';
