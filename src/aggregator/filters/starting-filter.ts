import { resolve } from 'node:path';
import type { FilterSource } from '../../emitters/filtering/filter-source.ts';
import { loadFilter } from '../../emitters/filtering/load-filter.ts';
import type { ConfigurationProblem } from '../../runtime/configuration/configuration-error.ts';
import { errorMessage } from '../../runtime/error-message.ts';
import { type FilteredEmitter, type FilterProblems, filterNameOf, filterProblems } from './choose-filters.ts';
import type { KeptFilters } from './kept-filters.ts';
import type { FilterPlaces } from './read-filters.ts';

export interface KeptFilter {
  readonly source?: FilterSource;
  /** Why a copy cannot be used. */
  readonly problems: readonly ConfigurationProblem[];
}

/** The copy of the filter that the configuration names. A copy of another filter may mask less. */
export async function keptFor(
  emitter: FilteredEmitter,
  copies: KeptFilters,
  { directory, geoip, live }: FilterPlaces,
): Promise<KeptFilter> {
  const wanted = filterNameOf(emitter);
  if (directory === undefined || wanted === undefined) return { problems: [] };
  try {
    const kept = await copies.read(emitter.name);
    if (kept?.name !== wanted) return { problems: [] };
    const source = { ...kept, ...(geoip !== undefined && { geoip: resolve(geoip) }), ...(live && { live }) };
    await loadFilter(source, emitter.name);
    return { source, problems: [] };
  } catch (error) {
    const reason = `the copy of the last valid filter cannot be used: ${errorMessage(error)}`;
    return { problems: filterProblems([reason]).problems };
  }
}

/**
 * A filter may mask secrets, so it does not end because its file is missing or empty for a moment, as it is while a
 * program replaces it, or after a crash in such a moment.
 */
export function emptiedFilter(
  used: FilterSource | undefined,
  source: FilterSource | undefined,
): FilterProblems | undefined {
  if (used === undefined || used.text.trim() === '' || (source?.text ?? '').trim() !== '') return undefined;
  const fault = source === undefined ? 'is missing' : 'is empty';
  return filterProblems([`${used.file} ${fault}; to run without this filter, configure "filter": "none"`]);
}
