import { encodingMisfit } from '../../../formats/encodings/encoding-misfit.ts';
import { ENCODING } from '../../../formats/marker-attributes.ts';
import type { ConfigurationProblem } from '../../../runtime/configuration/configuration-error.ts';
import type { TailEntry } from './files/tail-configuration.ts';

/** Reports entries whose format cannot be in their encoding. `variable`: where they are configured. */
export function wrongEncodings(
  entries: readonly Pick<TailEntry, 'format' | 'resource'>[],
  variable: string,
): readonly ConfigurationProblem[] {
  const messages = entries.flatMap(
    ({ format, resource }) => encodingMisfit(format, resource.get(ENCODING)) ?? [],
  );
  return Array.from(new Set(messages), (message) => ({ variable, message }));
}
