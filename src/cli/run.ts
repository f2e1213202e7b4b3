import { Command } from 'commander';
import { COMMANDS } from './command-list.ts';
import type { Context } from './context.ts';
import { describeFailure } from './describe-failure.ts';
import { EXIT } from './output/exit-codes.ts';
import type { Io } from './output/io.ts';
import { printableLines } from './output/text-table.ts';
import { refuseDistributed } from './refuse-distributed.ts';
import { rewritePuppylogFlags } from './rewrite-puppylog-flags.ts';

const EXAMPLES = `
Try it:
  mega-collector standalone --tail '/var/log/*.log'

In two processes, here or on two machines:
  mega-collector aggregator &
  mega-collector collector --tail '/var/log/*.log'
  mega-collector status

Search the store of an aggregator:
  mega-collector monitor logs --follow

Search a file without collector and aggregator:
  mega-collector search access.log --where status_code=500

Exit codes: 0 success, 1 failure, 2 usage, 78 configuration, 130 stopped by a second signal.`;

/** Runs one command line (without node and script) and returns the exit code. Throws nothing. */
export async function run(argv: readonly string[], io: Io): Promise<number> {
  const context: Context = { io, exitCode: EXIT.ok };
  try {
    refuseDistributed(argv);
    const words = rewritePuppylogFlags(asFlags(argv), io.environment);
    const root = await program(words[0] === '--' ? words[1] : words[0], context);
    await root.parseAsync(words, { from: 'user' });
    return context.exitCode;
  } catch (error) {
    const { exitCode, message } = describeFailure(error);
    if (message !== undefined) io.stderr.write(`mega-collector: ${printableLines(message)}\n`);
    return exitCode;
  }
}

/** Supports `help`, `help monitor logs` and `version`, as other programs do. */
function asFlags(argv: readonly string[]): readonly string[] {
  const [name, ...others] = argv;
  if (name === 'version' && others.length === 0) return ['--version'];
  return name === 'help' ? [...others, '--help'] : argv;
}

/** Loads the named command. Without a name that exists, the program only lists all commands or suggests one. */
async function program(name: string | undefined, context: Context): Promise<Command> {
  const root = new Command('mega-collector')
    .description(
      'Ship logs from files and sockets to a store: exactly once, acknowledged only after they are on disk.',
    )
    .version(context.io.version, '-V, --version', 'Print the version.')
    .addHelpText('after', EXAMPLES);
  const named = name !== undefined && Object.hasOwn(COMMANDS, name) ? COMMANDS[name] : undefined;
  if (named === undefined) addListed(root);
  else root.addCommand((await named.load())(context).description(named.description));
  settle(root, context.io);
  return root;
}

function addListed(root: Command): void {
  for (const [name, { description }] of Object.entries(COMMANDS)) {
    root.addCommand(new Command(name).description(description));
  }
}

/**
 * Makes Commander throw instead of ending the process, and write to our outputs. Each command has to be
 * configured.
 */
function settle(command: Command, { stdout, stderr }: Io): void {
  command
    .exitOverride()
    .helpOption('-h, --help', 'Show this help.')
    .helpCommand(false)
    .configureHelp({
      helpWidth: Math.min(stdout.columns ?? 100, 120),
      // Our descriptions are complete; Commander would add the value of a flag without an argument.
      optionDescription: ({ description }) => description,
      ...(command.parent === null && { subcommandTerm: listedTerm }),
    })
    .configureOutput({
      writeOut: (text) => void stdout.write(text),
      writeErr: (text) => void stderr.write(printableLines(text)),
      outputError: (text, write) => write(withLongerFlags(text, command)),
    })
    .showHelpAfterError(`See mega-collector ${command.parent ? `${path(command)} ` : ''}--help.`);
  for (const each of command.commands) settle(each, { stdout, stderr } as Io);
}

/** A flag that belongs to both halves of `standalone` has two longer names there. */
function withLongerFlags(text: string, { options }: Command): string {
  const [whole, given = ''] = /unknown option '-(-[a-z-]+)'/.exec(text) ?? [];
  const longer = options.flatMap(({ long }) => (long?.endsWith(given) ? [long] : []));
  if (whole === undefined || longer.length === 0) return text;
  return `${text.trimEnd()}; write ${longer.join(' or ')}\n`;
}

/** Commands of the list are not loaded, so Commander does not know their options. */
function listedTerm(command: Command): string {
  const { usage = '' } = COMMANDS[command.name()] ?? {};
  return `${command.name()} ${usage}`.trimEnd();
}

function path(command: Command): string {
  const { parent } = command;
  return parent?.parent ? `${path(parent)} ${command.name()}` : command.name();
}
