import { harmless } from './terminal/harmless.ts';
import { table } from './terminal/table.ts';
import type { Terminal } from './terminal/terminal.ts';
import { durationText } from './terminal/time-text.ts';

/** Every key of a definition, those of a later version too; `periodSeconds: 60` reads `period  1m`. */
export function definitionText(
  definition: Readonly<Record<string, unknown>>,
  more: readonly (readonly [string, string])[],
  terminal: Terminal,
): string {
  const rows = Object.entries(definition).map(([key, value]) => {
    const isTime = key.endsWith('Seconds') && typeof value === 'number';
    const name = (isTime ? key.slice(0, -'Seconds'.length) : key).replace(/[A-Z]/g, ' $&').toLowerCase();
    return [harmless(name), isTime ? durationText(value) : valueText(value)];
  });
  return table([{ title: '' }, { title: '' }], [...rows, ...more], terminal);
}

function valueText(value: unknown): string {
  return harmless(typeof value === 'string' ? value : JSON.stringify(value));
}
