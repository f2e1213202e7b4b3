import { resolve } from 'node:path';
import { Command } from 'commander';
import { explainAnswer } from '../answers.ts';
import { askOwner } from '../ask-owner.ts';
import type { Context } from '../context.ts';
import { explanationText } from '../explanation-text.ts';
import { findStateDirectories } from '../state-directories.ts';

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
        io.stdout.write(json ? `${JSON.stringify(answer, undefined, 2)}\n` : explanationText(answer));
      }
    });
}
