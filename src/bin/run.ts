import { Command } from 'commander';
import { aggregatorCommand } from './commands/aggregator.ts';
import { collectorCommand } from './commands/collector.ts';
import { deadLettersCommand } from './commands/dead-letters.ts';
import { emittersCommand } from './commands/emitters.ts';
import { explainCommand } from './commands/explain.ts';
import { standaloneCommand } from './commands/standalone.ts';
import { statusCommand } from './commands/status.ts';
import type { Context } from './context.ts';
import { EXIT } from './exit-codes.ts';
import { failureOf } from './failure.ts';
import type { Io } from './io.ts';

const EXAMPLES = `
Try it:
  mega-collector standalone --tail '/var/log/*.log'

In two processes, here or on two machines:
  AGGREGATOR_TEXT_CONFIGURATION=1 mega-collector aggregator &
  mega-collector collector --tail '/var/log/*.log'
  mega-collector status

Exit codes: 0, 1 failure, 2 usage, 78 configuration, 130 told to stop twice.`;

/** Runs one command line (without node and script) and returns the exit code. Throws nothing. */
export async function run(argv: readonly string[], io: Io): Promise<number> {
  const context: Context = { io, exitCode: EXIT.ok };
  try {
    await program(context).parseAsync(argv, { from: 'user' });
    return context.exitCode;
  } catch (error) {
    const { exitCode, message } = failureOf(error);
    if (message !== undefined) io.stderr.write(`mega-collector: ${message}\n`);
    return exitCode;
  }
}

function program(context: Context): Command {
  const root = new Command('mega-collector')
    .description(
      'Logs from files to their stores: exactly once, and acknowledged only after they are on disk.',
    )
    .version(context.io.version, '--version', 'Print the version.')
    .addHelpText('after', EXAMPLES);
  const commands = [
    aggregatorCommand,
    collectorCommand,
    standaloneCommand,
    statusCommand,
    explainCommand,
    deadLettersCommand,
    emittersCommand,
  ];
  for (const command of commands) root.addCommand(command(context));
  settle(root, context.io);
  return root;
}

/** Commander is to throw instead of ending the process, and to write where we do; each command has to be told. */
function settle(command: Command, { stdout, stderr }: Io): void {
  command
    .exitOverride()
    .helpOption('--help', 'Show this help.')
    .helpCommand(false)
    .configureHelp({ helpWidth: Math.min(stdout.columns ?? 100, 120) })
    .configureOutput({
      writeOut: (text) => void stdout.write(text),
      writeErr: (text) => void stderr.write(text),
    })
    .showHelpAfterError(`See mega-collector ${command.parent ? `${path(command)} ` : ''}--help.`);
  for (const each of command.commands) settle(each, { stdout, stderr } as Io);
}

function path(command: Command): string {
  const { parent } = command;
  return parent?.parent ? `${path(parent)} ${command.name()}` : command.name();
}
