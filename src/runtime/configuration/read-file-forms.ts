import { constants, open } from 'node:fs/promises';
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
    // Not readFile: a device would never end, and the open of a FIFO would block without a writer.
    const file = await open(path, constants.O_RDONLY | constants.O_NONBLOCK);
    try {
      if (!(await file.stat()).isFile()) return { fault: `expected a file, found something else at ${path}` };
      const { buffer, bytesRead } = await file.read({ buffer: Buffer.alloc(MAX_FILE_BYTES + 1) });
      if (bytesRead > MAX_FILE_BYTES) return { fault: `expected at most 1 MiB, found more in ${path}` };
      const text = new TextDecoder('utf-8', { fatal: true }).decode(buffer.subarray(0, bytesRead));
      // Editors end files with a newline, which is not a part of the token.
      return text.replace(/\r?\n$/, '');
    } finally {
      await file.close();
    }
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === 'ERR_ENCODING_INVALID_ENCODED_DATA') return { fault: `expected UTF-8 text in ${path}` };
    return { fault: `expected a readable file for ${variable.name}, found ${code ?? 'an error'} at ${path}` };
  }
}
