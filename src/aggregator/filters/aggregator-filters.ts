import type { Logger } from 'pino';
import type { Registry } from 'prom-client';
import type { FilterErrorReport, FilterSource } from '../../emitters/filtering/filter-source.ts';
import type { FilterTableFiles } from '../../filter-files/load-filter-tables.ts';
import { repeat } from '../../runtime/async/repeat.ts';
import { SerialQueue } from '../../runtime/async/serial-queue.ts';
import type { Cancel, Clock } from '../../runtime/clock.ts';
import { ConfigurationError } from '../../runtime/configuration/configuration-error.ts';
import { errorMessage } from '../../runtime/error-message.ts';
import { PathWatcher } from '../../runtime/watching/path-watcher.ts';
import { type ChosenFilter, chooseFilters, type FilteredEmitter } from './choose-filters.ts';
import { FILTER_EVENTS, type FilterEvents } from './events.ts';
import { FilterErrorLog } from './filter-error-log.ts';
import { type FilterPlaces, readFilters } from './read-filters.ts';
import { watchedPaths } from './watched-paths.ts';

/** Watching may fail, and some network file systems report nothing. */
const POLL_MS = 60_000;

/**
 * The filters of all emitters: checked at the start, and replaced while the aggregator runs.
 *
 *     change, SIGHUP --> read --> compile, run its tests --> delivery, between two flush groups --> in use
 *                                 `-- invalid: the earlier filter stays in use; log, status, metric
 */
export class AggregatorFilters {
  readonly errors: FilterErrorLog;
  readonly #options: AggregatorFiltersOptions;
  readonly #events: FilterEvents;
  readonly #states = new Map<string, FilterState>();
  readonly #reloads = new SerialQueue();
  #use: UseFilter = async () => {};
  #watcher: PathWatcher | undefined;
  #cancelPoll: Cancel = () => {};
  #isStopped = false;

  /** Throws ConfigurationError with the problems of all filters that are in use. */
  static async open(options: AggregatorFiltersOptions): Promise<AggregatorFilters> {
    const filters = new AggregatorFilters(options);
    const chosen = await checkedFilters(options);
    for (const [emitter, source] of chosen)
      filters.#states.set(emitter, { used: source, wanted: source, problems: [] });
    return filters;
  }

  private constructor(options: AggregatorFiltersOptions) {
    this.#options = options;
    this.#events = FILTER_EVENTS.open(options);
    this.errors = new FilterErrorLog(this.#events);
  }

  sourceOf(emitter: string): FilterSource | undefined {
    return this.#states.get(emitter)?.used;
  }

  /** Watches the files. `use` gives an emitter another filter, and resolves when the emitter uses it. */
  async start(use: UseFilter): Promise<void> {
    const { clock, directory, emitters } = this.#options;
    this.#use = use;
    if (directory === undefined) return;
    const reload = () => this.reload();
    const paths = watchedPaths(directory, emitters);
    const onFailure = ({ message }: Error) => this.#events.notWatched({ reason: message });
    this.#watcher = new PathWatcher({ paths, clock, onHint: () => void reload(), onFailure });
    await this.#watcher.start();
    this.#cancelPoll = repeat(clock, POLL_MS, reload);
  }

  async stop(): Promise<void> {
    this.#isStopped = true;
    this.#cancelPoll();
    await this.#watcher?.stop();
    await this.#reloads.run(async () => {});
  }

  /** Reads the files again. Never rejects. */
  reload(): Promise<void> {
    return this.#reloads.run(async () => {
      if (this.#isStopped) return;
      const { emitters } = this.#options;
      try {
        const chosen = await chooseFilters(await readFilters(this.#options), emitters);
        for (const [emitter, choice] of chosen) this.#choose(emitter, choice);
      } catch (error) {
        this.#keepAll(error);
      }
    });
  }

  get tableFiles(): FilterTableFiles | undefined {
    const { directory, geoip } = this.#options;
    return directory === undefined ? undefined : { directory, geoipFile: geoip };
  }

  statuses(): readonly FilterStatus[] {
    return [...this.#states].map(([emitter, { used, wanted, problems }]) => ({
      emitter,
      filter: used?.name ?? null,
      state: problems.length > 0 ? 'broken' : used === wanted ? 'active' : 'pending',
      problems,
      errors: this.errors.total(emitter),
    }));
  }

  #choose(emitter: string, choice: ChosenFilter): void {
    const state = this.#states.get(emitter);
    if (state === undefined) return;
    const kept = choice.kind === 'problems' ? choice : emptiedFilter(state.used, choice.source);
    if (kept !== undefined) this.#keep(emitter, state, kept);
    else if (choice.kind === 'filter') this.#want(emitter, state, choice.source);
  }

  /** One file that cannot be read stops every change, so each emitter with a filter shows it. */
  #keepAll(error: unknown): void {
    this.#events.unreadable({ reason: errorMessage(error) });
    const { problems } = problemOf(error);
    for (const [emitter, state] of this.#states) {
      if (state.used === undefined) continue;
      state.problems = problems.map(({ message }) => message);
      this.#events.broken({ emitter, isBroken: true });
    }
  }

  #keep(emitter: string, state: FilterState, { problems }: FilterProblems): void {
    const texts = problems.map(({ message }) => message);
    const isKnown = texts.join('\n') === state.problems.join('\n');
    state.problems = texts;
    this.#events.broken({ emitter, isBroken: true });
    if (!isKnown) this.#events.rejected({ emitter, problems: texts });
  }

  #want(emitter: string, state: FilterState, source: FilterSource | undefined): void {
    state.problems = [];
    this.#events.broken({ emitter, isBroken: false });
    if (isSame(state.wanted, source)) return;
    state.wanted = source;
    this.#use(emitter, source).then(
      () => this.#used(emitter, state, source),
      (error: unknown) => {
        if (state.wanted === source) state.wanted = state.used;
        this.#keep(emitter, state, problemOf(error));
      },
    );
  }

  #used(emitter: string, state: FilterState, source: FilterSource | undefined): void {
    if (state.wanted !== source) return;
    state.used = source;
    this.errors.begin(emitter);
    this.#events.changed({ emitter, filter: source?.name ?? null });
  }

  noteErrors(emitter: string, report: FilterErrorReport): void {
    this.errors.note(emitter, report);
  }
}

/**
 * A filter may mask secrets, so it does not end because its file is missing or empty for a moment, as it is while a
 * program replaces it.
 */
function emptiedFilter(
  used: FilterSource | undefined,
  source: FilterSource | undefined,
): FilterProblems | undefined {
  if (used === undefined || used.text.trim() === '' || (source?.text ?? '').trim() !== '') return undefined;
  const fault = source === undefined ? 'is missing' : 'is empty';
  const message = `${used.file} ${fault}; to run without this filter, restart the aggregator`;
  return { kind: 'problems', problems: [{ variable: 'AGGREGATOR_FILTER_DIRECTORY', message }] };
}

/** For --check and the start: the filter of each emitter. Throws ConfigurationError with all problems. */
export async function checkedFilters(
  options: FilterPlaces & { readonly emitters: readonly FilteredEmitter[] },
): Promise<ReadonlyMap<string, FilterSource | undefined>> {
  const chosen = await chooseFilters(await filtersOf(options), options.emitters);
  const problems = [...chosen.values()].flatMap((choice) =>
    choice.kind === 'problems' ? choice.problems : [],
  );
  const unique = new Map(problems.map((problem) => [`${problem.variable} ${problem.message}`, problem]));
  if (unique.size > 0) throw new ConfigurationError([...unique.values()]);
  return new Map(
    [...chosen].map(([emitter, choice]) => [emitter, choice.kind === 'filter' ? choice.source : undefined]),
  );
}

async function filtersOf(places: FilterPlaces): ReturnType<typeof readFilters> {
  try {
    return await readFilters(places);
  } catch (error) {
    throw new ConfigurationError([{ variable: 'AGGREGATOR_FILTER_DIRECTORY', message: errorMessage(error) }]);
  }
}

type FilterProblems = ChosenFilter & { readonly kind: 'problems' };

export interface AggregatorFiltersOptions extends FilterPlaces {
  readonly emitters: readonly FilteredEmitter[];
  readonly clock: Clock;
  readonly logger: Logger;
  readonly metrics: Registry;
}

export type UseFilter = (emitter: string, source: FilterSource | undefined) => Promise<void>;

export interface FilterStatus {
  readonly emitter: string;
  /** The filter in use; null: none. */
  readonly filter: string | null;
  /**
   * `pending`: a changed filter waits until the batches before it are delivered. `broken`: the changed file is
   * invalid, and the earlier filter stays in use.
   */
  readonly state: 'active' | 'pending' | 'broken';
  readonly problems: readonly string[];
  /** Values that the filter could not use, since the aggregator started. */
  readonly errors: number;
}

interface FilterState {
  used: FilterSource | undefined;
  wanted: FilterSource | undefined;
  problems: readonly string[];
}

function isSame(a: FilterSource | undefined, b: FilterSource | undefined): boolean {
  return a?.file === b?.file && a?.text === b?.text;
}

function problemOf(error: unknown): ChosenFilter & { readonly kind: 'problems' } {
  const problem = { variable: 'AGGREGATOR_FILTER_DIRECTORY', message: errorMessage(error) };
  return { kind: 'problems', problems: [problem] };
}
