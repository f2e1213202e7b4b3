import { type Command, Option } from 'commander';
import {
  type Environment,
  FILE_SUFFIX,
  hasFileForm,
  type Variable,
  type VariableTable,
} from '../runtime/configuration/configuration.ts';

/** Adds a flag to the command for every variable of the table, and one for each `_FILE` form. */
export function addVariableFlags(command: Command, table: VariableTable): void {
  for (const variable of Object.values(table)) {
    command.addOption(valueOption(variable));
    if (hasFileForm(variable)) command.addOption(fileOption(variable));
    if (variable.alias !== undefined) command.addOption(aliasOption(variable, variable.alias.flag));
  }
}

function valueOption(variable: Variable): Option {
  const { name, flag, default: standard, boolean } = variable;
  const value = boolean ? '[boolean]' : '<value>';
  const origin = standard ? `${name}, default ${standard}` : name;
  const option = new Option(`${flag} ${value}`, `${plain(helpText(variable))} [${origin}]`);
  return boolean ? option.preset('1') : option;
}

function helpText({ description, keys = [] }: Variable): string {
  if (keys.length === 0) return description;
  const names = keys.map(({ key, isRequired }) => (isRequired ? `${key} (required)` : key));
  return `${description} JSON keys: ${names.join(', ')}.`;
}

function aliasOption({ flag }: Variable, alias: string): Option {
  return new Option(`${alias} <value>`, `The same as ${flag}.`);
}

function fileOption({ name, flag }: Variable): Option {
  return new Option(`${flag}-file <path>`, `The same, read from a file. [${name}${FILE_SUFFIX}]`);
}

/** Descriptions are Markdown, for the docs. */
function plain(description: string): string {
  return description.replaceAll('`', '');
}

export interface FlaggedEnvironment {
  readonly environment: Environment;
  /** The variables that a flag has set. */
  readonly flagged: ReadonlySet<string>;
}

/**
 * The environment with the flags of the command: a flag, in either form, overrides both forms of its
 * variable.
 */
export function environmentWithFlags(
  command: Command,
  table: VariableTable,
  environment: Environment,
): FlaggedEnvironment {
  const merged: Record<string, string | undefined> = { ...environment };
  const flagged = new Set<string>();
  const options = command.opts<Readonly<Record<string, string | undefined>>>();
  for (const variable of Object.values(table)) {
    const { alias } = variable;
    const aliased = alias && options[aliasOption(variable, alias.flag).attributeName()];
    const value = options[valueOption(variable).attributeName()] ?? aliased;
    const file = hasFileForm(variable) ? options[fileOption(variable).attributeName()] : undefined;
    if (value === undefined && file === undefined) continue;
    merged[variable.name] = value;
    merged[variable.name + FILE_SUFFIX] = file;
    flagged.add(variable.name);
  }
  return { environment: merged, flagged };
}
