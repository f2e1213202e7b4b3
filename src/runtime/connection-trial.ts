/** What `--check --connect` found out about one target: a file, a server, a database. Contains no secret. */
export interface ConnectionTrial {
  /** For people: `the aggregator 127.0.0.1:8000`. */
  readonly target: string;
  /** Absent: it works. */
  readonly failure?: ConnectionFailure;
}

export interface ConnectionFailure {
  readonly reason: string;
  /** What the operator can do. */
  readonly remedy?: string | undefined;
}
