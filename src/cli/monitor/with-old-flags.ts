import { type Command, Option } from 'commander';

/**
 * Adds flags with the names of earlier versions. They set the same value as the new flag, and the help does
 * not list them. `names`: by old flag, the attribute of the new one.
 */
export function withOldFlags(command: Command, names: Readonly<Record<string, string>>): Command {
  for (const [flag, attribute] of Object.entries(names)) {
    const old = new Option(`${flag} <value>`).hideHelp();
    command.addOption(old);
    command.on(`option:${old.name()}`, (value: string) => {
      command.setOptionValueWithSource(attribute, value, 'cli');
    });
  }
  return command;
}
