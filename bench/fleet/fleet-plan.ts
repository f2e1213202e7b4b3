/** The plan of one process of simulated collectors. */
export interface FleetPlan {
  readonly address: string;
  /** Of this process, from 1; its collectors connect from addresses of their own, 127.0.NUMBER.x. */
  readonly number: number;
  readonly collectors: number;
  /** Of each collector. */
  readonly streams: number;
  /** Of all collectors of the process. */
  readonly batchesPerSecond: number;
  readonly linesPerBatch: number;
  /** The first connections are spread over this time. */
  readonly connectWithinMs: number;
}

/** What happened since the report before. */
export interface FleetReport {
  /** Collectors whose streams are all open on a new connection. */
  readonly served: number;
  /** Batches. */
  readonly accepted: number;
  readonly sent: number;
  /** Batches of collectors that were not connected. */
  readonly unsent: number;
}
