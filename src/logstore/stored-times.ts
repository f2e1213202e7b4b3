/**
 * Collects the times of the rows of a stored range and their minutes, for readers of new records
 * (`schema.ts`). It is called for each row that is written.
 */
export class StoredTimes {
  minUnixMicro = Number.POSITIVE_INFINITY;
  maxUnixMicro = Number.NEGATIVE_INFINITY;
  readonly #minutes: Set<number>;
  #lastMinute = Number.NaN;

  /** `minutes`: the minutes of the whole flush, since 1970; those of these rows are added. */
  constructor(minutes: Set<number>) {
    this.#minutes = minutes;
  }

  note(unixMicro: number): void {
    if (unixMicro < this.minUnixMicro) this.minUnixMicro = unixMicro;
    if (unixMicro > this.maxUnixMicro) this.maxUnixMicro = unixMicro;
    const minute = Math.floor(unixMicro / MICRO_PER_MINUTE);
    if (minute === this.#lastMinute) return;
    this.#lastMinute = minute;
    this.#minutes.add(minute);
  }
}

export const MICRO_PER_MINUTE = 60_000_000;
