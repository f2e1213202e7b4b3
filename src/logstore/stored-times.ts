export const MICRO_PER_MINUTE = 60_000_000;

/**
 * Between which times the rows of a stored range lie, and in which minutes: what a flush notes for those who look for what
 * is new (`schema.ts`). Told of each row as it is written.
 */
export class StoredTimes {
  minUnixMicro = Number.POSITIVE_INFINITY;
  maxUnixMicro = Number.NEGATIVE_INFINITY;
  readonly #minutes: Set<number>;
  #lastMinute = Number.NaN;

  /** `minutes`: of the whole flush, since 1970; gets those of these rows. */
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
