import { join, resolve } from 'node:path';
import { pathToFileURL } from 'node:url';

/**
 * The commands of the built program, as Commander has them: name, description, arguments, options and subcommands.
 * `dist`: the compiled program.
 */
export async function commandTree(dist) {
  const list = pathToFileURL(resolve(join(dist, 'cli/command-list.js'))).href;
  const { COMMANDS } = await import(list);
  const context = { io: { environment: {}, services: {}, version: '' }, exitCode: 0 };
  const entries = Object.entries(COMMANDS).map(async ([name, { description, load }]) => ({
    ...node((await load())(context)),
    name,
    description,
  }));
  return Promise.all(entries);
}

function node(command) {
  return {
    name: command.name(),
    description: command.description(),
    usage: command.usage(),
    options: [
      ...command.options
        .filter(({ hidden }) => !hidden)
        .map(({ flags, short, long, description, argChoices, required, optional }) => ({
          flags,
          names: [short, long].filter((each) => each !== undefined),
          description,
          choices: argChoices ?? [],
          hasValue: required || optional,
        })),
      {
        flags: '-h, --help',
        names: ['-h', '--help'],
        description: 'Show this help.',
        choices: [],
        hasValue: false,
      },
    ],
    after: helpAfter(command),
    commands: command.commands.map(node),
  };
}

/** The text that `--help` prints after the options. */
function helpAfter(command) {
  const parts = [];
  command.emit('afterHelp', { error: false, command, write: (part) => void parts.push(part) });
  return parts.join('').trim();
}

/** A command and all of its subcommands, each with its path: `monitor logs`. */
export function flattened(commands, above = []) {
  return commands.flatMap((command) => {
    const path = [...above, command.name];
    return [{ ...command, path }, ...flattened(command.commands, path)];
  });
}
