import { InvalidArgumentError } from 'commander';
import { encodingNamed, type NamedEncoding } from '../../formats/encodings/encoding-named.ts';
import { nearestName } from '../../runtime/configuration/unknown-variables.ts';

/** The value of `--encoding`. Throws InvalidArgumentError. */
export function describedEncoding(text: string): NamedEncoding {
  const named = encodingNamed(text, nearestName);
  if (typeof named === 'string') throw new InvalidArgumentError(`${named}.`);
  return named;
}
