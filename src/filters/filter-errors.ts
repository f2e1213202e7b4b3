import { placeOf } from './filter-problem.ts';

/** What went wrong while a filter ran. Such an error never drops a record: the value is missing. */
export interface FilterErrors {
  readonly total: number;
  /** By line of the filter. */
  readonly byLine: ReadonlyMap<number, number>;
  /** The first ones. */
  readonly samples: readonly FilterErrorSample[];
}

export interface FilterErrorSample {
  readonly file: string;
  readonly line: number;
  readonly reason: string;
  /** The beginning of the value that could not be used. */
  readonly value: string;
}

export class FilterErrorCounts implements FilterErrors {
  readonly byLine = new Map<number, number>();
  readonly samples: FilterErrorSample[] = [];
  readonly #file: string;
  readonly #text: string;
  readonly #lines = new Map<number, number>();
  #total = 0;

  constructor(file: string, text: string) {
    this.#file = file;
    this.#text = text;
  }

  get total(): number {
    return this.#total;
  }

  add(offset: number, reason: string, value: string): void {
    let line = this.#lines.get(offset);
    if (line === undefined) {
      line = placeOf(this.#text, offset).line;
      this.#lines.set(offset, line);
    }
    this.#total++;
    this.byLine.set(line, (this.byLine.get(line) ?? 0) + 1);
    if (this.samples.length < MAX_SAMPLES)
      this.samples.push({ file: this.#file, line, reason, value: value.slice(0, MAX_VALUE) });
  }
}

const MAX_SAMPLES = 10;
const MAX_VALUE = 200;
