export interface FilterStatus {
  readonly emitter: string;
  /** The filter in use; null: none. */
  readonly filter: string | null;
  /**
   * `pending`: a changed filter waits until the batches before it are delivered. `broken`: the file is invalid, and
   * the last valid filter is in use.
   */
  readonly state: 'active' | 'pending' | 'broken';
  readonly problems: readonly string[];
  /** Values that the filter could not use, since the aggregator started. */
  readonly errors: number;
}
