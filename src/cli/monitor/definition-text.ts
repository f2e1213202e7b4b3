import { formatTable } from './terminal/format-table.ts';
import { sanitizeForTerminal } from './terminal/sanitize-for-terminal.ts';
import type { Terminal } from './terminal/terminal.ts';
import { durationText } from './terminal/time-text.ts';

/**
 * Shows every key of a definition, also those of a later version; `periodSeconds: 60` is shown as `period
 * 1m`.
 */
export function definitionText(
  definition: Readonly<Record<string, unknown>>,
  more: readonly (readonly [string, string])[],
  terminal: Terminal,
): string {
  const rows = Object.entries(definition).map(([key, value]) => {
    const isTime = key.endsWith('Seconds') && typeof value === 'number';
    const name = (isTime ? key.slice(0, -'Seconds'.length) : key).replace(/[A-Z]/g, ' $&').toLowerCase();
    return [sanitizeForTerminal(name), isTime ? durationText(value) : valueText(value)];
  });
  return formatTable([{ title: '' }, { title: '' }], [...rows, ...more], terminal);
}

function valueText(value: unknown): string {
  return sanitizeForTerminal(typeof value === 'string' ? value : JSON.stringify(value));
}
