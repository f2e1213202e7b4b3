import { basename } from 'node:path';
import type { FilterErrorReport } from '../../emitters/filtering/filter-source.ts';
import type { FilterErrorSample } from '../../filters/filter-errors.ts';
import type { FilterEvents } from './events.ts';

/** The samples of an emitter; later ones are only counted. */
const MAX_SAMPLES = 10;

/**
 * The errors of the filters of this process: counted by emitter, file and line, with the first samples. A report
 * of an emitter counts from the start of its program, which a new thread or a changed file begins again.
 */
export class FilterErrorLog {
  readonly #events: FilterEvents;
  readonly #emitters = new Map<string, EmitterErrors>();

  constructor(events: FilterEvents) {
    this.#events = events;
  }

  total(emitter: string): number {
    return this.#emitters.get(emitter)?.total ?? 0;
  }

  /** A changed filter is in use: its samples replace the earlier ones. */
  begin(emitter: string): void {
    const known = this.#emitters.get(emitter);
    if (known === undefined) return;
    known.last = undefined;
    known.earlierSamples = [];
    known.samples = [];
    known.lines.clear();
  }

  note(emitter: string, report: FilterErrorReport): void {
    const known = this.#of(emitter);
    const hasBegunAgain = known.last !== undefined && known.last.total > report.total;
    const before = hasBegunAgain ? undefined : known.last?.byLine;
    for (const [line, count] of report.byLine) {
      const added = count - (before?.get(line) ?? 0);
      if (added <= 0) continue;
      known.total += added;
      known.lines.set(line, (known.lines.get(line) ?? 0) + added);
      this.#events.errors({ emitter, file: basename(report.file), line, count: added });
    }
    if (hasBegunAgain) known.earlierSamples = known.samples;
    known.samples = [...known.earlierSamples, ...report.samples].slice(0, MAX_SAMPLES);
    known.last = report;
  }

  list(): readonly FilterLineErrors[] {
    return [...this.#emitters].flatMap(([emitter, { lines, last, samples }]) =>
      [...lines].map(([line, count]) => ({
        emitter,
        file: last?.file ?? '',
        line,
        count,
        samples: samples.filter((sample) => sample.line === line),
      })),
    );
  }

  #of(emitter: string): EmitterErrors {
    const known = this.#emitters.get(emitter) ?? noErrors();
    this.#emitters.set(emitter, known);
    return known;
  }
}

export interface FilterLineErrors {
  readonly emitter: string;
  readonly file: string;
  readonly line: number;
  readonly count: number;
  readonly samples: readonly FilterErrorSample[];
}

interface EmitterErrors {
  total: number;
  readonly lines: Map<number, number>;
  last: FilterErrorReport | undefined;
  /** Of the threads before the present one. */
  earlierSamples: readonly FilterErrorSample[];
  samples: readonly FilterErrorSample[];
}

function noErrors(): EmitterErrors {
  return { total: 0, lines: new Map(), last: undefined, earlierSamples: [], samples: [] };
}
