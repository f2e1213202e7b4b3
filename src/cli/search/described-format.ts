import { InvalidArgumentError } from 'commander';
import {
  type FormatDescription,
  parseFormatDescription,
} from '../../formats/described/format-description.ts';
import { formatChoices } from './format-choices.ts';

/** The value of `--format`: the name of a format, or its description. Throws InvalidArgumentError. */
export function describedFormat(text: string, names: readonly string[]): FormatDescription {
  const described = parseFormatDescription(text);
  if (typeof described === 'string') throw new InvalidArgumentError(`${described}.`);
  if (names.includes(described.name)) return described;
  throw new InvalidArgumentError(`Allowed choices are ${formatChoices(names)}.`);
}
