import { resolve } from 'node:path';
import { Command } from 'commander';
import type { Json } from '../../runtime/json.ts';
import { explainAnswer } from '../answers.ts';
import { askOwner } from '../ask-owner.ts';
import type { Context } from '../context.ts';
import { findStateDirectories } from '../state-directories.ts';
import { printable, textTable } from '../text-table.ts';

const EXAMPLES = `
Examples:
  mega-collector explain /var/log/nginx/access.log
  mega-collector explain /var/log/nginx/access.log.2.gz --json`;

export function explainCommand({ io }: Context): Command {
  return new Command('explain')
    .description('Say how a collector sees a file: identity, stream, position, lag, or why it is not read.')
    .argument('<file>', 'The file.')
    .option('--state-directory <path>', 'Of the collector; default: the configured one.')
    .option('--json', 'Print JSON.')
    .addHelpText('after', EXAMPLES)
    .action(async (file: string, { stateDirectory, json }: { stateDirectory?: string; json?: boolean }) => {
      const path = resolve(file);
      for (const directory of await findStateDirectories(io, stateDirectory, ['collector'])) {
        const answer = explainAnswer((await askOwner(io, directory, 'explain', { path })).value);
        io.stdout.write(json ? `${JSON.stringify(answer, undefined, 2)}\n` : fieldsText(answer));
      }
    });
}

/** One line for each field; those within a field are named with it: `status position  4096`. */
export function fieldsText(fields: Readonly<Record<string, Json>>): string {
  return textTable(
    [{ title: '' }, { title: '' }],
    rowsOf('', fields).map(([name, value]) => [printable(name), printable(value)]),
  );
}

function rowsOf(
  prefix: string,
  fields: Readonly<Record<string, Json>>,
): readonly (readonly [string, string])[] {
  return Object.entries(fields).flatMap(([key, value]) => {
    const name = prefix + words(key);
    if (value === null) return [];
    if (typeof value === 'object' && !isList(value)) return rowsOf(`${name} `, value);
    return [[name, typeof value === 'string' ? value : JSON.stringify(value)] as const];
  });
}

function isList(value: object): value is readonly Json[] {
  return Array.isArray(value);
}

/** `acceptedBytes`: `accepted bytes` */
function words(name: string): string {
  return name.replace(/([a-z])([A-Z])/g, (_, end: string, begin: string) => `${end} ${begin.toLowerCase()}`);
}
