import { resolve } from 'node:path';
import { Command } from 'commander';
import { forgetFile } from '../../collector/operations.ts';
import { callOwner } from '../call-owner.ts';
import { CommandError } from '../command-error.ts';
import type { Context } from '../context.ts';
import { printable } from '../output/text-table.ts';
import { findStateDirectories } from '../state-directories.ts';

const EXAMPLES = `
The collector reads the file from its beginning, as a new stream: at once if it is running, otherwise at its next
start. An aggregator that has the records of the file gets them a second time.

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
      let isRunning = false;
      for (const directory of directories) {
        const { answer, running } = await callOwner(io, directory, forgetFile, { body: { path } });
        streams += answer.streams;
        isRunning ||= running && answer.streams > 0;
      }
      if (streams === 0)
        throw new CommandError(`Cannot forget ${printable(path)}: no collector has read it. Check the path.`);
      const reader = isRunning ? 'The collector' : 'The next start';
      io.stdout.write(`Forgot ${printable(path)}. ${reader} reads it from its beginning.\n`);
    });
}
