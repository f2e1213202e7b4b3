import { identifier } from '../../monitoring/metric-definition.ts';
import { CommandError } from '../command-error.ts';
import { EXIT } from '../output/exit-codes.ts';
import { FlagValues } from './flag-values.ts';

/** The name of a metric or an alert. Throws CommandError if it is invalid. */
export function parseIdentifier(text: string): string {
  return new FlagValues().checked(identifier, text, { '': 'ID' });
}

/** The name for a new metric or alert: the argument, or the value of --identifier. */
export function chooseIdentifier(argument: string | undefined, flag: string | undefined): string {
  const id = argument ?? flag;
  if (id === undefined) throw new CommandError('Name what you create: ID, or --identifier ID.', EXIT.usage);
  if (flag !== undefined && flag !== id) {
    throw new CommandError(
      `Only one name is possible, found ${JSON.stringify(id)} and ${JSON.stringify(flag)}.`,
      EXIT.usage,
    );
  }
  return id;
}
