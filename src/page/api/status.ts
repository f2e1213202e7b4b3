/** Answers about the queue, the emitters and the collectors; see docs/openapi.json. Fields of later versions are optional. */

export interface Amount {
  readonly records: number;
  readonly bytes: number;
}

export interface EmitterStatus {
  readonly emitter: string;
  readonly delivered: Amount;
  readonly queued: Amount;
  readonly deadLettered: Amount;
  readonly discarded: Amount;
  readonly filtered?: Amount;
  readonly state?: string;
  /** Absent, as the following ones, from an aggregator of an earlier version. */
  readonly lagSeconds?: number;
  readonly recordsPerSecond?: number;
  /** Absent: it does not catch up. */
  readonly catchUpSeconds?: number;
  readonly problem?: string;
}

export interface AggregatorStatus {
  readonly accepted: Amount;
  readonly emitters: readonly EmitterStatus[];
  readonly diskBytes: number;
  readonly intake?: {
    readonly recordsPerSecond: number;
    readonly bytesPerSecond: number;
    readonly collectors: number;
    readonly streams: number;
  };
  readonly disk?: {
    readonly path: string;
    readonly usedBytes: number;
    readonly freeBytes: number | null;
    readonly limitBytes: number;
  };
  readonly health?: { readonly status: 'ok' | 'degraded'; readonly problems: readonly string[] };
  readonly pagerduty?: {
    readonly configured: boolean;
    readonly openIncidents: readonly {
      readonly key: string;
      readonly summary: string;
      readonly since: string;
    }[];
    readonly lastError?: string | null;
  };
}

export interface Listener {
  readonly name: string;
  readonly address?: string;
  readonly protocol?: string;
  readonly clients?: number;
  readonly records?: number;
  readonly bytes?: number;
  readonly dropped?: number;
  readonly kernelDropped?: number;
}

export interface CollectorReport {
  readonly id: string;
  readonly host: string;
  readonly version: string;
  readonly address: string;
  readonly connected: boolean;
  readonly explains?: 'offered' | 'refused' | 'unsupported';
  /** false: the values after `lastSeen` are not known. */
  readonly reports?: boolean;
  readonly since: string;
  readonly lastSeen: string;
  readonly streams?: number;
  readonly lagBytes?: number;
  readonly queuedBytes?: number;
  readonly acceptedBytes?: number;
  readonly lostBytes?: number;
  readonly listeners?: readonly Listener[];
  readonly problems?: readonly string[];
}

/** How a collector sees a file. Collectors of other versions may have other fields. */
export type FileExplanation = Readonly<Record<string, unknown>>;

export interface DeadLetter extends Amount {
  readonly id: string;
  readonly emitter: string;
  readonly stream: string;
  readonly position: number;
  readonly reason: string;
  readonly rejectedTimeUnixNano: string;
  readonly replaying: boolean;
}

export interface DeadLetterContent {
  readonly letter: DeadLetter;
  readonly format: string;
  readonly resource: Readonly<Record<string, string>>;
  /** Base64. */
  readonly data: string;
}

export interface FilterStatus {
  readonly emitter: string;
  readonly filter: string | null;
  readonly state: 'active' | 'pending' | 'broken';
  readonly problems: readonly string[];
  readonly errors: number;
}

export interface FilterLineErrors {
  readonly emitter: string;
  readonly file: string;
  readonly line: number;
  readonly count: number;
  readonly samples: readonly { readonly reason: string; readonly value: string }[];
}

export type ShownRecord = Readonly<Record<string, unknown>> & { readonly body: string };

export interface TriedRecord {
  readonly before: ShownRecord;
  readonly after: readonly ShownRecord[];
  readonly lines: readonly number[];
  readonly routes: readonly string[];
}

export interface FilterTrial {
  readonly problems: readonly {
    readonly file: string;
    readonly line: number;
    readonly column: number;
    readonly reason: string;
  }[];
  readonly records: readonly TriedRecord[];
  readonly errors?: {
    readonly total: number;
    readonly samples: readonly { readonly line: number; readonly reason: string; readonly value: string }[];
  };
}
