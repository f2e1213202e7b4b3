import type { FilterSource } from '../../emitters/filtering/filter-source.ts';
import { loadFilter } from '../../emitters/filtering/load-filter.ts';
import type { ConfigurationProblem } from '../../runtime/configuration/configuration-error.ts';
import { nearestName } from '../../runtime/configuration/unknown-variables.ts';
import { errorMessage } from '../../runtime/error-message.ts';
import type { AggregatorEmitter } from '../config.ts';
import type { FilterFiles } from './read-filters.ts';

/** The filter of an emitter that names none. */
const DEFAULT_FILTER = 'default';
/** As the name of a filter: no filter, also if there is a default one. */
const NO_FILTER = 'none';

/** The part of an emitter's configuration that chooses its filter. */
export type FilteredEmitter = Pick<AggregatorEmitter, 'name' | 'filter'> & {
  readonly type: Pick<AggregatorEmitter['type'], 'variable'>;
};

/** The filter of an emitter, or why it cannot have it. */
export type ChosenFilter =
  | { readonly kind: 'filter'; readonly source: FilterSource | undefined }
  | { readonly kind: 'problems'; readonly problems: readonly ConfigurationProblem[] };

/** Chooses the filter of each emitter by its name, compiles it, and runs its tests. */
export async function chooseFilters(
  files: FilterFiles,
  emitters: readonly FilteredEmitter[],
): Promise<ReadonlyMap<string, ChosenFilter>> {
  const chosen = new Map<string, ChosenFilter>();
  const names = emitters.map(({ name }) => name);
  for (const emitter of emitters) chosen.set(emitter.name, await chooseFilter(files, emitter, names));
  return chosen;
}

async function chooseFilter(
  files: FilterFiles,
  emitter: FilteredEmitter,
  emitters: readonly string[],
): Promise<ChosenFilter> {
  const { filter = DEFAULT_FILTER, name, type } = emitter;
  if (filter === NO_FILTER) return { kind: 'filter', source: undefined };
  const source = files.get(filter);
  if (source === undefined && emitter.filter !== undefined)
    return problems([{ variable: `${type.variable}.filter`, message: unknownFilter(filter, files) }]);
  if (source === undefined) return { kind: 'filter', source: undefined };
  const found = await problemsOf(source, name, emitters);
  return found.length === 0
    ? { kind: 'filter', source }
    : problems(found.map((message) => ({ variable: 'AGGREGATOR_FILTER_DIRECTORY', message })));
}

function problems(found: readonly ConfigurationProblem[]): ChosenFilter {
  return { kind: 'problems', problems: found };
}

function unknownFilter(filter: string, files: FilterFiles): string {
  const near = nearestName(filter, [...files.keys()]);
  const hint = near === undefined ? '' : `; did you mean "${near}"?`;
  return `there is no filter "${filter}" in AGGREGATOR_FILTER_DIRECTORY${hint}`;
}

async function problemsOf(
  source: FilterSource,
  emitter: string,
  emitters: readonly string[],
): Promise<readonly string[]> {
  try {
    const { routes = [] } = await loadFilter(source, emitter, { runsTests: true });
    return [...routes].flatMap((route) => (emitters.includes(route) ? [] : [unknownRoute(route, emitters)]));
  } catch (error) {
    return errorMessage(error).split('\n');
  }
}

function unknownRoute(route: string, emitters: readonly string[]): string {
  const near = nearestName(route, emitters);
  const hint = near === undefined ? '' : `; did you mean "${near}"?`;
  return `route("${route}") names an emitter that is not configured${hint}`;
}
