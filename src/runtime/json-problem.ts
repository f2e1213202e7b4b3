import { jsonFault } from './json-fault.ts';

/** The message for a variable that should hold JSON and does not: the place of the fault, and an example that works. */
export function jsonProblem(expected: string, text: string, example?: string): string {
  const fault = jsonFault(text);
  const shown = example === undefined ? '' : `\n  For example: ${example}`;
  if (text.trim() === '') return `expected ${expected} as JSON, found an empty value${shown}`;
  if (fault === undefined) return `expected ${expected} as JSON${shown}`;
  const { line, column, picture } = fault;
  return `expected ${expected} as JSON, found a syntax error at line ${line}, column ${column}:\n${picture}${shown}`;
}
