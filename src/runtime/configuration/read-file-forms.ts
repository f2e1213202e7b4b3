import { readBeginning } from '../files/read-beginning.ts';
import {
  type Environment,
  FILE_SUFFIX,
  hasFileForm,
  type Variable,
  type VariableTable,
} from './configuration.ts';
import type { ConfigurationProblem } from './configuration-error.ts';

/** Larger than any key or certificate chain: a larger file, or a device, is a mistake. */
const MAX_FILE_BYTES = 1024 * 1024;

/**
 * Replaces each `<name>_FILE` of the table by the content of its file. The returned environment is complete
 * for `parseVariables`; a variable whose file is unreadable is missing in it, and is a problem.
 */
export async function readFileForms(
  table: VariableTable,
  environment: Environment,
): Promise<{ environment: Environment; problems: readonly ConfigurationProblem[] }> {
  const read: Record<string, string | undefined> = { ...environment };
  const problems: ConfigurationProblem[] = [];
  for (const variable of Object.values(table).filter(hasFileForm)) {
    const fileVariable = variable.name + FILE_SUFFIX;
    const path = environment[fileVariable];
    if (!path) continue;
    if (environment[variable.name]) {
      problems.push({
        variable: fileVariable,
        message: `expected only one of it and ${variable.name}, found both`,
      });
      continue;
    }
    const content = await readText(path, variable);
    if (typeof content === 'string') read[variable.name] = content;
    else problems.push({ variable: fileVariable, message: content.fault });
  }
  return { environment: read, problems };
}

async function readText(path: string, variable: Variable): Promise<string | { readonly fault: string }> {
  try {
    const bytes = await readBeginning(path, MAX_FILE_BYTES + 1);
    if (bytes === 'not-a-file') return { fault: `expected a file, found something else at ${path}` };
    if (bytes.length > MAX_FILE_BYTES) return { fault: `expected at most 1 MiB, found more in ${path}` };
    const text = new TextDecoder('utf-8', { fatal: true }).decode(bytes);
    // Editors end files with a newline, which is not a part of the token.
    return text.replace(/\r?\n$/, '');
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === 'ERR_ENCODING_INVALID_ENCODED_DATA') return { fault: `expected UTF-8 text in ${path}` };
    return { fault: `expected a readable file for ${variable.name}, found ${code ?? 'an error'} at ${path}` };
  }
}
