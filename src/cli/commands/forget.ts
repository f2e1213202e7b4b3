import { resolve } from 'node:path';
import { Command } from 'commander';
import { forgetFile } from '../../collector/operations.ts';
import { callOwner } from '../call-owner.ts';
import { CommandError } from '../command-error.ts';
import type { Context } from '../context.ts';
import { printable } from '../output/text-table.ts';
import { findStateDirectories } from '../state-directories.ts';

const EXAMPLES = `
The next start of the collector reads the file from its beginning, as a new stream: an aggregator that has its
records gets them a second time. Stop the collector before.

Examples:
  mega-collector forget /var/log/nginx/access.log
  mega-collector forget access.log --state-directory /var/lib/mega-collector/collector`;

export function forgetCommand({ io }: Context): Command {
  return new Command('forget')
    .argument('<file>', 'Path of the file.')
    .option('--state-directory <path>', 'State directory of the collector; default: the configured one.')
    .addHelpText('after', EXAMPLES)
    .action(async (file: string, { stateDirectory }: { stateDirectory?: string }) => {
      const path = resolve(file);
      const directories = await findStateDirectories(io, stateDirectory, ['collector']);
      let streams = 0;
      for (const directory of directories) {
        const { answer } = await callOwner(io, directory, forgetFile, { body: { path } });
        streams += answer.streams;
      }
      if (streams === 0)
        throw new CommandError(`Cannot forget ${printable(path)}: no collector has read it. Check the path.`);
      io.stdout.write(`Forgot ${printable(path)}. The next start reads it from its beginning.\n`);
    });
}
