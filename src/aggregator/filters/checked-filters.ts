import type { FilterSource } from '../../emitters/filtering/filter-source.ts';
import {
  ConfigurationError,
  type ConfigurationProblem,
} from '../../runtime/configuration/configuration-error.ts';
import { errorMessage } from '../../runtime/error-message.ts';
import {
  type ChosenFilter,
  chooseFilters,
  type FilteredEmitter,
  filterNameOf,
  filterProblems,
} from './choose-filters.ts';
import { type FilterPlaces, readFilters } from './read-filters.ts';

/** For --check: the filter of each emitter. Throws ConfigurationError with all problems. */
export async function checkedFilters(
  options: FilterPlaces & { readonly emitters: readonly FilteredEmitter[] },
): Promise<ReadonlyMap<string, FilterSource | undefined>> {
  const { emitters } = options;
  const chosen = await readFilters(options)
    .then((files) => chooseFilters(files, { emitters }))
    .catch((error: unknown) => allProblems(emitters, error));
  throwProblems(
    [...chosen.values()].flatMap((choice) => (choice.kind === 'problems' ? choice.problems : [])),
  );
  return new Map(
    [...chosen].map(([emitter, choice]) => [emitter, choice.kind === 'filter' ? choice.source : undefined]),
  );
}

/** The filter directory cannot be read: the emitters that ask for no filter do not need it. */
export function allProblems(
  emitters: readonly FilteredEmitter[],
  error: unknown,
): ReadonlyMap<string, ChosenFilter> {
  const problems = filterProblems([errorMessage(error)]);
  const none = { kind: 'filter', source: undefined } as const;
  return new Map(
    emitters.map((emitter) => [emitter.name, filterNameOf(emitter) === undefined ? none : problems]),
  );
}

export function throwProblems(problems: readonly ConfigurationProblem[]): void {
  const unique = new Map(problems.map((problem) => [`${problem.variable} ${problem.message}`, problem]));
  if (unique.size > 0) throw new ConfigurationError([...unique.values()]);
}
