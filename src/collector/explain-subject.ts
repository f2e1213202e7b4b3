import { HttpError } from '../runtime/http/http-error.ts';
import type { FileExplanation } from './collector-reports.ts';
import type { ExplainAsker, Source } from './source.ts';

/** How the sources of this collector see a file, a listener or a sender. Throws HttpError when none of them explains it. */
export async function explainSubject(
  sources: readonly Pick<Source, 'explain'>[],
  subject: string,
  asker: ExplainAsker = 'owner',
): Promise<FileExplanation> {
  const explanations = await Promise.all(
    sources.map(async (source) => await source.explain?.(subject, asker)),
  );
  // The tail explains any file. A source that knows the directory of the file explains it better.
  const explanation = explanations.findLast((each) => each !== undefined);
  if (explanation === undefined)
    throw new HttpError(
      409,
      'conflict',
      `Cannot explain ${subject}: this collector has no source for it. Set COLLECTOR_TAIL, COLLECTOR_HARVEST or COLLECTOR_SYSLOG.`,
    );
  // The explanation is JSON; the compiler cannot verify it.
  return explanation as unknown as FileExplanation;
}
