/** The result of a look at a machine. Paths are those of the machine, without the root of the look. */
export interface Findings {
  readonly files: readonly FoundFile[];
  readonly leftOut: readonly LeftOut[];
  readonly journal: FoundJournal | undefined;
  readonly containers: readonly FoundContainers[];
  /** Programs that write or forward logs, and servers that can send them. */
  readonly notes: readonly string[];
  /** Rotated and compressed files, which belong to a file that is found. */
  readonly olderFiles: number;
  /** Why the look ended early; undefined: it saw everything. */
  readonly endedEarly: string | undefined;
}

/** A readable log file. */
export interface FoundFile {
  readonly path: string;
  /** The name of a format, or `auto`. */
  readonly format: string;
  readonly bytes: number;
}

export interface LeftOut {
  readonly path: string;
  readonly reason: string;
}

export interface FoundJournal {
  readonly directory: string;
}

export interface FoundContainers {
  readonly runtime: 'kubernetes' | 'docker';
  /** A glob. */
  readonly paths: string;
  readonly format: 'cri' | 'docker-json';
}
