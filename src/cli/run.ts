import { Command } from 'commander';
import type { Context } from './context.ts';
import { failureOf } from './failure.ts';
import { EXIT } from './output/exit-codes.ts';
import type { Io } from './output/io.ts';
import { printableLines } from './output/text-table.ts';
import { withoutPuppylogFlags } from './puppylog-flags.ts';

const EXAMPLES = `
Try it:
  mega-collector standalone --tail '/var/log/*.log'

In two processes, here or on two machines:
  AGGREGATOR_TEXT_CONFIGURATION=1 mega-collector aggregator &
  mega-collector collector --tail '/var/log/*.log'
  mega-collector status

What an aggregator with a store has taken in:
  mega-collector monitor logs --follow

What is in a file, without any of them:
  mega-collector search access.log --where status_code=500

Exit codes: 0, 1 failure, 2 usage, 78 configuration, 130 told to stop twice.`;

/** Loaded by name: a collector has no use for the memory of the emitters, nor `status` for either half. */
const COMMANDS: Readonly<Record<string, () => Promise<(context: Context) => Command>>> = {
  aggregator: async () => (await import('./commands/aggregator.ts')).aggregatorCommand,
  collector: async () => (await import('./commands/collector.ts')).collectorCommand,
  standalone: async () => (await import('./commands/standalone.ts')).standaloneCommand,
  status: async () => (await import('./commands/status.ts')).statusCommand,
  explain: async () => (await import('./commands/explain.ts')).explainCommand,
  'dead-letters': async () => (await import('./commands/dead-letters.ts')).deadLettersCommand,
  emitters: async () => (await import('./commands/emitters.ts')).emittersCommand,
  search: async () => (await import('./commands/search.ts')).searchCommand,
  monitor: async () => (await import('./commands/monitor.ts')).monitorCommand,
};

/** Runs one command line (without node and script) and returns the exit code. Throws nothing. */
export async function run(argv: readonly string[], io: Io): Promise<number> {
  const context: Context = { io, exitCode: EXIT.ok };
  try {
    const words = withoutPuppylogFlags(asFlags(argv), io.environment);
    const root = await program(words[0], context);
    await root.parseAsync(words, { from: 'user' });
    return context.exitCode;
  } catch (error) {
    const { exitCode, message } = failureOf(error);
    if (message !== undefined) io.stderr.write(`mega-collector: ${printableLines(message)}\n`);
    return exitCode;
  }
}

/** `help`, `help monitor logs` and `version`, as other programs have them. */
function asFlags(argv: readonly string[]): readonly string[] {
  const [name, ...others] = argv;
  if (name === 'version' && others.length === 0) return ['--version'];
  return name === 'help' ? [...others, '--help'] : argv;
}

/** With the command that is named; with all of them, to list or to guess, when none is. */
async function program(name: string | undefined, context: Context): Promise<Command> {
  const root = new Command('mega-collector')
    .description(
      'Logs from files to their stores: exactly once, and acknowledged only after they are on disk.',
    )
    .version(context.io.version, '-V, --version', 'Print the version.')
    .addHelpText('after', EXAMPLES);
  const named = name !== undefined && Object.hasOwn(COMMANDS, name) ? COMMANDS[name] : undefined;
  for (const load of named === undefined ? Object.values(COMMANDS) : [named]) {
    root.addCommand((await load())(context));
  }
  settle(root, context.io);
  return root;
}

/** Commander is to throw instead of ending the process, and to write where we do; each command has to be told. */
function settle(command: Command, { stdout, stderr }: Io): void {
  command
    .exitOverride()
    .helpOption('-h, --help', 'Show this help.')
    .helpCommand(false)
    .configureHelp({
      helpWidth: Math.min(stdout.columns ?? 100, 120),
      // Ours say all; Commander would add what a flag without a value stands for.
      optionDescription: ({ description }) => description,
    })
    .configureOutput({
      writeOut: (text) => void stdout.write(text),
      writeErr: (text) => void stderr.write(printableLines(text)),
    })
    .showHelpAfterError(`See mega-collector ${command.parent ? `${path(command)} ` : ''}--help.`);
  for (const each of command.commands) settle(each, { stdout, stderr } as Io);
}

function path(command: Command): string {
  const { parent } = command;
  return parent?.parent ? `${path(parent)} ${command.name()}` : command.name();
}
