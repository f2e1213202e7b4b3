import { identifier } from '../../monitoring/metric-definition.ts';
import { CommandError } from '../command-error.ts';
import { EXIT } from '../output/exit-codes.ts';
import { FlagValues } from './flag-values.ts';

/** The name of a metric or an alert. Throws CommandError. */
export function identifierOf(text: string): string {
  return new FlagValues().checked(identifier, text, { '': 'ID' });
}

/** Of what is created: as an argument, or behind --identifier. */
export function oneIdentifier(argument: string | undefined, flag: string | undefined): string {
  const id = argument ?? flag;
  if (id === undefined) throw new CommandError('Give it a name: ID, or --identifier ID.', EXIT.usage);
  if (flag !== undefined && flag !== id) {
    throw new CommandError(
      `It can have one name, found ${JSON.stringify(id)} and ${JSON.stringify(flag)}.`,
      EXIT.usage,
    );
  }
  return id;
}
