import { jsonFault } from './json-fault.ts';

/** The message for a variable with invalid JSON: the position of the error, and a valid example. */
export function jsonProblem(expected: string, text: string, example?: string): string {
  const fault = jsonFault(text);
  const shown = example === undefined ? '' : `\n  For example: ${example}`;
  if (text.trim() === '') return `expected ${expected} as JSON, found an empty value${shown}`;
  if (fault === undefined) return `expected ${expected} as JSON${shown}`;
  const { line, column, picture } = fault;
  return `expected ${expected} as JSON, found a syntax error at line ${line}, column ${column}:\n${picture}${shown}`;
}
