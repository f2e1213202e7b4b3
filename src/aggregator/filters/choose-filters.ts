import type { FilterSource } from '../../emitters/filtering/filter-source.ts';
import { loadFilter } from '../../emitters/filtering/load-filter.ts';
import { FileDigests } from '../../filter-files/file-digests.ts';
import type { ConfigurationProblem } from '../../runtime/configuration/configuration-error.ts';
import { nearestName } from '../../runtime/configuration/unknown-variables.ts';
import { errorMessage } from '../../runtime/error-message.ts';
import type { AggregatorEmitter } from '../config.ts';
import { areSameTables, digestTables } from './digest-tables.ts';
import type { FilterFiles } from './read-filters.ts';

/** The filter of an emitter that names none. */
const DEFAULT_FILTER = 'default';
/** As the name of a filter: no filter, also if there is a default one. */
const NO_FILTER = 'none';
/** A file that changes while it is checked is checked again, at most as often as this. */
const MAX_CHECKS = 3;

/** The part of an emitter's configuration that chooses its filter. */
export type FilteredEmitter = Pick<AggregatorEmitter, 'name' | 'filter'> & {
  readonly type: Pick<AggregatorEmitter['type'], 'variable'>;
};

/** The filter of an emitter, or why it cannot have it. */
export type ChosenFilter =
  | { readonly kind: 'filter'; readonly source: FilterSource | undefined }
  | FilterProblems;

export interface FilterProblems {
  readonly kind: 'problems';
  readonly problems: readonly ConfigurationProblem[];
}

export interface ChoosingOptions {
  readonly emitters: readonly FilteredEmitter[];
  readonly digests?: FileDigests;
  /** The filter that was checked before: it is not checked again if no file of it has changed. */
  readonly checked?: (emitter: string) => FilterSource | undefined;
}

/** The name of the filter that an emitter asks for; undefined: none. */
export function filterNameOf({ filter = DEFAULT_FILTER }: FilteredEmitter): string | undefined {
  return filter === NO_FILTER ? undefined : filter;
}

/** Chooses the filter of each emitter by its name, compiles it, and runs its tests. */
export async function chooseFilters(
  files: FilterFiles,
  { emitters, digests = new FileDigests(), checked = () => undefined }: ChoosingOptions,
): Promise<ReadonlyMap<string, ChosenFilter>> {
  const chosen = new Map<string, ChosenFilter>();
  const names = emitters.map(({ name }) => name);
  for (const emitter of emitters) {
    const checking = { emitter: emitter.name, emitters: names, digests, checked: checked(emitter.name) };
    chosen.set(emitter.name, await chooseFilter(files, emitter, checking));
  }
  return chosen;
}

async function chooseFilter(
  files: FilterFiles,
  emitter: FilteredEmitter,
  checking: Checking,
): Promise<ChosenFilter> {
  const filter = filterNameOf(emitter);
  if (filter === undefined) return { kind: 'filter', source: undefined };
  const source = files.get(filter);
  if (typeof source === 'string') return filterProblems([source]);
  if (source === undefined && emitter.filter !== undefined)
    return {
      kind: 'problems',
      problems: [{ variable: `${emitter.type.variable}.filter`, message: unknownFilter(filter, files) }],
    };
  if (source === undefined) return { kind: 'filter', source: undefined };
  return await checkSource(source, checking);
}

export function filterProblems(messages: readonly string[]): FilterProblems {
  return {
    kind: 'problems',
    problems: messages.map((message) => ({ variable: 'AGGREGATOR_FILTER_DIRECTORY', message })),
  };
}

function unknownFilter(filter: string, files: FilterFiles): string {
  const near = nearestName(filter, [...files.keys()]);
  const hint = near === undefined ? '' : `; did you mean "${near}"?`;
  return `there is no filter "${filter}" in AGGREGATOR_FILTER_DIRECTORY${hint}`;
}

interface Checking {
  readonly emitter: string;
  readonly emitters: readonly string[];
  readonly digests: FileDigests;
  readonly checked: FilterSource | undefined;
}

/** The digests belong to what was checked: a table may change while the filter is loaded. */
async function checkSource(source: FilterSource, checking: Checking): Promise<ChosenFilter> {
  const { checked, digests } = checking;
  let lookups: readonly string[] = Object.keys(checked?.tables?.files ?? {});
  let tables = await digestTables(source, lookups, digests);
  const isUnchanged = checked?.text === source.text && checked.file === source.file;
  if (isUnchanged && areSameTables(checked.tables, tables)) return { kind: 'filter', source: checked };
  for (let check = 0; ; check++) {
    const found = await loaded(source, checking);
    if (found.kind === 'problems') return found;
    lookups = found.lookupFiles;
    const after = await digestTables(source, lookups, digests);
    if (areSameTables(tables, after) || check === MAX_CHECKS)
      return { kind: 'filter', source: { ...source, tables: after } };
    tables = after;
  }
}

async function loaded(
  source: FilterSource,
  { emitter, emitters }: Checking,
): Promise<FilterProblems | { readonly kind: 'loaded'; readonly lookupFiles: readonly string[] }> {
  try {
    const { routes = [], facts } = await loadFilter(source, emitter, { runsTests: true });
    const unknown = [...routes].filter((route) => !emitters.includes(route));
    if (unknown.length > 0) return filterProblems(unknown.map((route) => unknownRoute(route, emitters)));
    return { kind: 'loaded', lookupFiles: facts.lookupFiles };
  } catch (error) {
    return filterProblems(errorMessage(error).split('\n'));
  }
}

function unknownRoute(route: string, emitters: readonly string[]): string {
  const near = nearestName(route, emitters);
  const hint = near === undefined ? '' : `; did you mean "${near}"?`;
  return `route("${route}") names an emitter that is not configured${hint}`;
}
