import { lstat } from 'node:fs/promises';
import { resolve } from 'node:path';
import { Command } from 'commander';
import { replaceFile } from '../../runtime/files/replace-file.ts';
import { writeNewFiles } from '../certificates/write-new-files.ts';
import { CommandError } from '../command-error.ts';
import type { Context } from '../context.ts';
import { findingsText } from '../init/findings-text.ts';
import { firstConfiguration } from '../init/first-configuration.ts';
import { lookAtMachine } from '../init/look-at-machine.ts';
import { fileErrorText } from '../output/file-error-text.ts';
import { widthOf } from '../output/io.ts';
import { jsonText } from '../output/json-text.ts';
import { printable, printableLines } from '../output/text-table.ts';

const EXAMPLES = `
Looks at the logs of this machine with the rights of this user: files in /var/log with their formats, the journal of
systemd, PostgreSQL, containers, rsyslog and syslog-ng. Writes a configuration file for --config with mode 0600, and
says what it found, what it leaves out, and why. It needs no root, and changes nothing else. Run it as the user of the
service: another user may read other files.

Examples:
  mega-collector init
  mega-collector init --dry-run
  mega-collector init --output /etc/mega-collector/standalone.yaml
  mega-collector init --json --dry-run | jq -r '.leftOut[] | .path + ": " + .reason'`;

interface InitFlags {
  readonly output: string;
  readonly dryRun?: boolean;
  readonly force?: boolean;
  readonly json?: boolean;
  readonly root: string;
}

export function initCommand({ io }: Context): Command {
  return new Command('init')
    .option('-o, --output <file>', 'The file to write. [default mega-collector.yaml]', 'mega-collector.yaml')
    .option('--dry-run', 'Print the configuration, and write nothing.')
    .option('--force', 'Replace the file if it exists.')
    .option('--root <path>', 'Look below this directory, such as that of an image. [default /]', '/')
    .option('--json', 'Print JSON.')
    .addHelpText('after', EXAMPLES)
    .action(async ({ output, dryRun = false, force = false, json = false, root }: InitFlags) => {
      const findings = await lookAtMachine(resolve(root));
      const configuration = firstConfiguration(findings, output);
      const path = dryRun || configuration === undefined ? undefined : resolve(output);
      if (path !== undefined && configuration !== undefined) await write(path, configuration, force);
      const report = json
        ? `${jsonText({ ...findings, configuration: configuration ?? null, written: path ?? null }, 2)}\n`
        : findingsText(findings, widthOf(io.stdout));
      io.stdout.write(report);
      if (configuration === undefined) throw new CommandError(NOTHING);
      if (json) return;
      io.stdout.write(path === undefined ? `\n${printableLines(configuration)}` : nextSteps(output));
    });
}

const NOTHING =
  'Found no log that this user can read, and wrote nothing. Run it as a member of the groups above, or name files: mega-collector standalone --tail PATH.';

function nextSteps(output: string): string {
  const file = printable(output);
  return `
Wrote ${file}. Check it, and start:
  mega-collector config check standalone --config ${file}
  mega-collector standalone --config ${file}
`;
}

/** A configuration may get secrets: it is only for its owner. */
const MODE = 0o600;

async function write(path: string, text: string, force: boolean): Promise<void> {
  if (force && (await exists(path))) return replace(path, text);
  try {
    await writeNewFiles([{ path, text, mode: MODE }]);
  } catch (error) {
    throw force ? error : withForce(error);
  }
}

/** Also a link without a target: it is replaced. */
async function exists(path: string): Promise<boolean> {
  return (await lstat(path).catch(() => undefined)) !== undefined;
}

async function replace(path: string, text: string): Promise<void> {
  try {
    await replaceFile(path, text, { temporary: `${path}.${process.pid}.tmp`, mode: MODE });
  } catch (error) {
    throw new CommandError(`Cannot replace ${printable(path)}: ${fileErrorText(error)}`);
  }
}

function withForce(error: unknown): unknown {
  if (!(error instanceof CommandError) || !error.message.includes('it exists')) return error;
  return new CommandError(error.message.replace('Move it away,', 'Replace it with --force,'));
}
