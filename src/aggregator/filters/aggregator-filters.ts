import { resolve } from 'node:path';
import type { Logger } from 'pino';
import type { Registry } from 'prom-client';
import type { FilterErrorReport, FilterSource } from '../../emitters/filtering/filter-source.ts';
import { FileDigests } from '../../filter-files/file-digests.ts';
import type { FilterTableFiles } from '../../filter-files/load-filter-tables.ts';
import { repeat } from '../../runtime/async/repeat.ts';
import { SerialQueue } from '../../runtime/async/serial-queue.ts';
import type { Cancel, Clock } from '../../runtime/clock.ts';
import type { ConfigurationProblem } from '../../runtime/configuration/configuration-error.ts';
import { errorMessage } from '../../runtime/error-message.ts';
import type { Late } from '../../runtime/http/health.ts';
import { PathWatcher } from '../../runtime/watching/path-watcher.ts';
import { allProblems, throwProblems } from './checked-filters.ts';
import {
  type ChosenFilter,
  chooseFilters,
  type FilteredEmitter,
  type FilterProblems,
  filterProblems,
} from './choose-filters.ts';
import { areSameTables } from './digest-tables.ts';
import { FILTER_EVENTS, type FilterEvents } from './events.ts';
import { FilterErrorLog } from './filter-error-log.ts';
import type { FilterStatus } from './filter-status.ts';
import { KeptFilters } from './kept-filters.ts';
import { type FilterPlaces, readFilters } from './read-filters.ts';
import { emptiedFilter, keptFor } from './starting-filter.ts';
import { watchedPaths } from './watched-paths.ts';

/** Watching may fail, and some network file systems report nothing. */
const POLL_MS = 60_000;

/**
 * The filters of all emitters: checked at the start, and replaced while the aggregator runs.
 *
 *     change, SIGHUP --> read --> compile, run its tests --> delivery, between two flush groups --> in use
 *                                 `-- invalid: the earlier filter stays in use; log, status, metric
 *
 * The last valid filter of each emitter is kept in the state directory. A start with an invalid file uses it, and
 * fails without it: no record passes unfiltered because of a mistake in a file.
 */
export class AggregatorFilters {
  readonly errors: FilterErrorLog;
  readonly #options: AggregatorFiltersOptions;
  readonly #events: FilterEvents;
  readonly #states = new Map<string, FilterState>();
  readonly #reloads = new SerialQueue();
  readonly #digests = new FileDigests();
  readonly #kept: KeptFilters;
  #use: UseFilter = async () => {};
  #watcher: PathWatcher | undefined;
  #cancelPoll: Cancel = () => {};
  #isStopped = false;

  /** Throws ConfigurationError with the problems of all filters that are in use, and have no valid copy. */
  static async open(options: AggregatorFiltersOptions): Promise<AggregatorFilters> {
    const filters = new AggregatorFilters(options);
    await filters.#open();
    return filters;
  }

  private constructor(options: AggregatorFiltersOptions) {
    this.#options = options;
    this.#events = FILTER_EVENTS.open(options);
    this.#kept = new KeptFilters(options.stateDirectory);
    this.errors = new FilterErrorLog(this.#events);
  }

  async #open(): Promise<void> {
    const { emitters } = this.#options;
    const chosen = await this.#chosen().catch((error: unknown) => allProblems(emitters, error));
    const problems: ConfigurationProblem[] = [];
    for (const emitter of emitters) {
      const choice = chosen.get(emitter.name);
      if (choice !== undefined) problems.push(...(await this.#begin(emitter, choice)));
    }
    throwProblems(problems);
    await this.#kept.forgetOthers(new Set(emitters.map(({ name }) => name))).catch(() => undefined);
  }

  /** Returns the problems with which the emitter cannot start. */
  async #begin(emitter: FilteredEmitter, choice: ChosenFilter): Promise<readonly ConfigurationProblem[]> {
    const { name } = emitter;
    const kept = await keptFor(emitter, this.#kept, this.#options);
    const fault = choice.kind === 'problems' ? choice : emptiedFilter(kept.source, choice.source);
    if (fault === undefined) {
      const source = choice.kind === 'filter' ? choice.source : undefined;
      this.#states.set(name, { used: source, wanted: source, problems: [] });
      await this.#keepCopy(name, source);
      return [];
    }
    if (kept.source === undefined) return [...fault.problems, ...kept.problems];
    const problems = fault.problems.map(({ message }) => message);
    this.#states.set(name, { used: kept.source, wanted: kept.source, problems, brokenSince: this.#now() });
    this.#events.broken({ emitter: name, isBroken: true });
    this.#events.startedWithCopy({ emitter: name, filter: kept.source.name, problems });
    return [];
  }

  sourceOf(emitter: string): FilterSource | undefined {
    return this.#states.get(emitter)?.used;
  }

  /** Watches the files. `use` gives an emitter another filter, and resolves when the emitter uses it. */
  async start(use: UseFilter): Promise<void> {
    const { clock, directory } = this.#options;
    this.#use = use;
    if (directory === undefined) return;
    const reload = () => this.reload();
    const paths = watchedPaths(directory, this.#options);
    const directories = [resolve(directory)];
    const onFailure = ({ message }: Error) => this.#events.notWatched({ reason: message });
    this.#watcher = new PathWatcher({ paths, directories, clock, onHint: () => void reload(), onFailure });
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
      try {
        for (const [emitter, choice] of await this.#chosen()) await this.#choose(emitter, choice);
      } catch (error) {
        this.#keepAll(error);
      }
    });
  }

  get tableFiles(): FilterTableFiles | undefined {
    const { directory, geoip, live } = this.#options;
    return directory === undefined ? undefined : { directory, geoipFile: geoip, live };
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

  /** The filters whose changed file has no effect, with the time since then: for the health of the process. */
  broken(): readonly Late[] {
    return [...this.#states].flatMap(([emitter, { brokenSince }]) => {
      if (brokenSince === undefined) return [];
      const ageSeconds = Math.round(Number(this.#now() - brokenSince) / 1e9);
      return [{ what: `filter of emitter ${emitter}: its file is invalid`, ageSeconds }];
    });
  }

  async #chosen(): ReturnType<typeof chooseFilters> {
    const files = await readFilters(this.#options);
    return await chooseFilters(files, {
      emitters: this.#options.emitters,
      digests: this.#digests,
      checked: (emitter) => this.#states.get(emitter)?.wanted,
    });
  }

  async #choose(emitter: string, choice: ChosenFilter): Promise<void> {
    const state = this.#states.get(emitter);
    if (state === undefined) return;
    const fault = choice.kind === 'problems' ? choice : emptiedFilter(state.used, choice.source);
    if (fault !== undefined) this.#keep(emitter, state, fault);
    else if (choice.kind === 'filter') await this.#want(emitter, state, choice.source);
  }

  /** A directory that cannot be read stops every change, so each emitter with a filter shows it. */
  #keepAll(error: unknown): void {
    const reason = errorMessage(error);
    const filtered = [...this.#states].filter(([, { used }]) => used !== undefined);
    if (filtered.some(([, { problems }]) => problems.join('\n') !== reason))
      this.#events.unreadable({ reason });
    for (const [emitter, state] of filtered) this.#show(emitter, state, [reason]);
  }

  /** Each problem is logged once, not at each look at the files. */
  #keep(emitter: string, state: FilterState, { problems }: FilterProblems): void {
    const texts = problems.map(({ message }) => message);
    const isKnown = texts.join('\n') === state.problems.join('\n');
    this.#show(emitter, state, texts);
    if (!isKnown) this.#events.rejected({ emitter, problems: texts });
  }

  #show(emitter: string, state: FilterState, problems: readonly string[]): void {
    state.problems = problems;
    state.brokenSince ??= this.#now();
    this.#events.broken({ emitter, isBroken: true });
  }

  async #want(emitter: string, state: FilterState, source: FilterSource | undefined): Promise<void> {
    state.problems = [];
    state.brokenSince = undefined;
    this.#events.broken({ emitter, isBroken: false });
    await this.#keepCopy(emitter, source);
    if (isSame(state.wanted, source)) return;
    state.wanted = source;
    this.#use(emitter, source).then(
      () => this.#used(emitter, state, source),
      (error: unknown) => {
        if (state.wanted === source) state.wanted = state.used;
        this.#keep(emitter, state, filterProblems([errorMessage(error)]));
      },
    );
  }

  #used(emitter: string, state: FilterState, source: FilterSource | undefined): void {
    if (state.wanted !== source) return;
    state.used = source;
    this.errors.begin(emitter);
    this.#events.changed({ emitter, filter: source?.name ?? null });
    // A copy that the emitter used before may be removed now.
    void this.#reloads.run(() => this.#kept.prune(emitter).catch(() => undefined));
  }

  async #keepCopy(emitter: string, source: FilterSource | undefined): Promise<void> {
    try {
      if (source === undefined) await this.#kept.forget(emitter);
      else await this.#kept.keep(emitter, source);
    } catch (error) {
      this.#events.notKept({ emitter, reason: errorMessage(error) });
    }
  }

  #now(): bigint {
    return this.#options.clock.nowUnixNano();
  }

  noteErrors(emitter: string, report: FilterErrorReport): void {
    this.errors.note(emitter, report);
  }
}

export interface AggregatorFiltersOptions extends FilterPlaces {
  readonly emitters: readonly FilteredEmitter[];
  /** Where the last valid filters are kept. */
  readonly stateDirectory: string;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly metrics: Registry;
}

export type UseFilter = (emitter: string, source: FilterSource | undefined) => Promise<void>;

interface FilterState {
  used: FilterSource | undefined;
  wanted: FilterSource | undefined;
  problems: readonly string[];
  /** Unix time in nanoseconds; undefined: the file is valid. */
  brokenSince?: bigint | undefined;
}

/** A filter whose tables come from another directory is another one, also if the texts are equal. */
function isSame(a: FilterSource | undefined, b: FilterSource | undefined): boolean {
  return (
    a?.file === b?.file &&
    a?.text === b?.text &&
    a?.directory === b?.directory &&
    areSameTables(a?.tables, b?.tables)
  );
}
