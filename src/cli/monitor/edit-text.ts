import { sanitizeForTerminal } from './terminal/sanitize-for-terminal.ts';

/** The effects of an edit, one per line. */
export function changesText(id: string, changes: readonly string[]): string {
  return [`Changed ${id}.`, ...changes].map((line) => `${sanitizeForTerminal(line)}\n`).join('');
}

/** A definition with the values that a client has given; those that are undefined stay. */
export function editedDefinition(before: object, given: object): Record<string, unknown> {
  const changed = Object.entries(given).filter(([, value]) => value !== undefined);
  return { ...before, ...Object.fromEntries(changed) };
}
