/** The result of `--check --connect` for one target: a file, a server, a database. Contains no secret. */
export interface ConnectionTrial {
  /** For people: `the aggregator 127.0.0.1:8000`. */
  readonly target: string;
  /** Absent if the target works. */
  readonly failure?: ConnectionFailure;
}

export interface ConnectionFailure {
  readonly reason: string;
  /** The remedy, for the operator. */
  readonly remedy?: string | undefined;
}
