import { stat } from 'node:fs/promises';
import { resolve } from 'node:path';
import {
  type ConfigurationWarning,
  type Environment,
  FILE_SUFFIX,
  hasFileForm,
  type VariableTable,
} from '../runtime/configuration/configuration.ts';
import { ConfigurationError } from '../runtime/configuration/configuration-error.ts';
import { type FileValue, parseConfigurationFile } from '../runtime/configuration/configuration-file.ts';
import { errorMessage } from '../runtime/error-message.ts';
import { readBeginning } from '../runtime/files/read-beginning.ts';

const MAX_FILE_BYTES = 1024 * 1024;
const OTHERS_MAY_READ = 0o004;

export interface ReadConfigurationFile {
  readonly path: string;
  readonly values: ReadonlyMap<string, FileValue>;
  readonly warnings: readonly ConfigurationWarning[];
}

/** Reads the file of `--config`. Throws ConfigurationError with all its problems. */
export async function readConfigurationFile(
  given: string,
  table: VariableTable,
): Promise<ReadConfigurationFile> {
  const path = resolve(given);
  const { values, problems } = parseConfigurationFile(await textOf(path), table);
  if (problems.length > 0)
    throw new ConfigurationError(
      problems.map(({ variable, message }) => ({ variable: `${path}: ${variable}`, message })),
    );
  return { path, values, warnings: await secretWarnings(path, values, table) };
}

async function textOf(path: string): Promise<string> {
  try {
    const bytes = await readBeginning(path, MAX_FILE_BYTES + 1);
    if (bytes === 'not-a-file') throw new Error('it is not a file');
    if (bytes.length > MAX_FILE_BYTES) throw new Error('it has more than 1 MiB');
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes);
  } catch (error) {
    throw new ConfigurationError([
      { variable: '--config', message: `cannot be read at ${path}: ${errorMessage(error)}` },
    ]);
  }
}

async function secretWarnings(
  path: string,
  values: ReadonlyMap<string, FileValue>,
  table: VariableTable,
): Promise<readonly ConfigurationWarning[]> {
  const secret = Object.values(table).find(
    ({ name, secret: isSecret }) => isSecret === true && values.has(name),
  );
  if (secret === undefined || ((await stat(path)).mode & OTHERS_MAY_READ) === 0) return [];
  const message = `may contain a secret, and every user of this machine can read ${path}: chmod o-r ${path}`;
  return [{ variable: secret.name, message }];
}

/**
 * The environment over the values of the file. A variable of the environment, in any of its forms, replaces all forms of
 * it in the file. `fromFile`: the names whose value is that of the file.
 */
export function overFile(
  environment: Environment,
  { values }: Pick<ReadConfigurationFile, 'values'>,
  table: VariableTable,
): { readonly environment: Environment; readonly fromFile: ReadonlySet<string> } {
  const merged: Record<string, string | undefined> = { ...environment };
  const hidden = new Set<string>();
  for (const variable of Object.values(table)) {
    const forms = formsOf(variable);
    if (forms.some((name) => environment[name] !== undefined)) for (const name of forms) hidden.add(name);
  }
  const fromFile = new Set<string>();
  for (const [name, { text }] of values) {
    if (hidden.has(name) || environment[name] !== undefined) continue;
    merged[name] = text;
    fromFile.add(name);
  }
  return { environment: merged, fromFile };
}

function formsOf(variable: VariableTable[string]): readonly string[] {
  const { name, alias } = variable;
  return [
    name,
    ...(hasFileForm(variable) ? [name + FILE_SUFFIX] : []),
    ...(alias === undefined ? [] : [alias.name]),
  ];
}
