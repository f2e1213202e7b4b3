/** What /health/progress, /metrics and `status` show of one emitter. */
export interface EmitterStatus {
  readonly emitter: string;
  readonly state: EmitterState;
  /** Why it does not work. */
  readonly reason?: string;
  /** Since when it does not work. */
  readonly sinceUnixNano?: bigint;
  /** In a row. */
  readonly failures: number;
  /** Since the oldest record that is not delivered was accepted; 0 when there is none. */
  readonly oldestUndeliveredAgeMs: number;
  /** The last commit of something delivered in this process. */
  readonly lastSuccessUnixNano?: bigint;
}

/**
 * `retrying`: the last attempt failed. `holding`: the retries are used up, or it is a case for a person; it goes on
 * trying. `failed`: delivery itself broke, and needs a restart.
 */
export type EmitterState = 'stopped' | 'idle' | 'delivering' | 'retrying' | 'holding' | 'failed';
