import type { Command } from 'commander';
import {
  type ConfigurationWarning,
  type Environment,
  FILE_SUFFIX,
  textOf,
  throwProblems,
  type VariableTable,
} from '../runtime/configuration/configuration.ts';
import {
  ConfigurationError,
  type ConfigurationProblem,
} from '../runtime/configuration/configuration-error.ts';
import { readFileForms } from '../runtime/configuration/read-file-forms.ts';
import { environmentWithFlags } from './add-variable-flags.ts';
import type { Io } from './output/io.ts';

/**
 * Reads flags, then environment, then the file of --config, then defaults; `_FILE` forms of all of them. Throws ConfigurationError with the problems of
 * all of them.
 */
export async function loadConfiguration<Config>(
  command: Command,
  { table, parse }: ConfigurationSource<Config>,
  io: Io,
): Promise<LoadedConfiguration<Config>> {
  const { config: path } = command.opts<{ config?: string }>();
  const { file, below } = path === undefined ? NO_FILE : await fromFile(path, table, io.environment);
  const { environment: flags, flagged } = environmentWithFlags(
    command,
    table,
    below?.environment ?? io.environment,
  );
  const { environment, problems: fileProblems } = await readFileForms(table, flags);
  const parsed = parsedOrProblems(() =>
    parse(environment, io.userId === undefined ? {} : { userId: io.userId }),
  );
  if ('problems' in parsed) {
    throw new ConfigurationError([...fileProblems, ...notCausedBy(fileProblems, parsed.problems)]);
  }
  throwProblems(fileProblems);
  const origins = new Map(originsOf(table, flags, flagged));
  for (const name of below?.fromFile ?? []) {
    const origin = origins.get(name.endsWith(FILE_SUFFIX) ? name.slice(0, -FILE_SUFFIX.length) : name);
    const line = file?.values.get(name)?.line;
    if (origin === 'environment' && line !== undefined) origins.set(name, `${file?.path}:${line}`);
  }
  const warnings = [...(file?.warnings ?? []), ...parsed.warnings];
  return { ...parsed, warnings, environment, given: flags, origins, file: file?.path };
}

/** Its modules are loaded only for a file: the parser of YAML would be a tenth of the time of every start. */
async function fromFile(path: string, table: VariableTable, environment: Environment) {
  const { overFile, readConfigurationFile } = await import('./read-configuration-file.ts');
  const file = await readConfigurationFile(path, table);
  return { file, below: overFile(environment, file, table) };
}

const NO_FILE = { file: undefined, below: undefined };

export interface ConfigurationSource<Config> {
  readonly table: VariableTable;
  readonly parse: (
    environment: Environment,
    options: { readonly userId?: number },
  ) => { readonly config: Config; readonly warnings: readonly ConfigurationWarning[] };
}

export interface LoadedConfiguration<Config> {
  readonly config: Config;
  readonly warnings: readonly ConfigurationWarning[];
  /** The variables as they were read, files included. */
  readonly environment: Environment;
  /** Flags and environment, before files are read. */
  readonly given: Environment;
  /** By variable; without the variables that are not set. */
  readonly origins: ReadonlyMap<string, Origin>;
  /** The path of --config. */
  readonly file: string | undefined;
}

/** `file`: a `_FILE` form; a path and a line: the file of --config. */
export type Origin = 'flag' | 'environment' | 'file' | `${string}:${number}`;

function parsedOrProblems<Parsed extends object>(
  parse: () => Parsed,
): Parsed | { readonly problems: readonly ConfigurationProblem[] } {
  try {
    return parse();
  } catch (error) {
    if (error instanceof ConfigurationError) return { problems: error.problems };
    throw error;
  }
}

/** A variable whose file cannot be read is also missing: one problem is enough. */
function notCausedBy(
  fileProblems: readonly ConfigurationProblem[],
  problems: readonly ConfigurationProblem[],
): readonly ConfigurationProblem[] {
  const told = new Set(fileProblems.map(({ variable }) => variable));
  return problems.filter(({ variable }) => !told.has(variable) && !told.has(variable + FILE_SUFFIX));
}

function originsOf(
  table: VariableTable,
  environment: Environment,
  flagged: ReadonlySet<string>,
): ReadonlyMap<string, Origin> {
  const origins = new Map<string, Origin>();
  for (const variable of Object.values(table)) {
    const { name } = variable;
    if (flagged.has(name)) origins.set(name, 'flag');
    else if (environment[name + FILE_SUFFIX]) origins.set(name, 'file');
    else if (textOf(variable, environment) !== undefined) origins.set(name, 'environment');
  }
  return origins;
}
