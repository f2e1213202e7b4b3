/**
 * The control protocol, command by command: the types that the command line sends and expects, in JSON (times
 * and 64-bit numbers as decimal text).
 *
 *     | command | input | answer |
 *     |--|--|--|
 *     | `status` | StatusInput | AggregatorStatus or CollectorStatus |
 *     | `explain` | ExplainInput | any object: shown field by field |
 *     | `dead-letters.list` | DeadLetterFilter | DeadLetterReport[] |
 *     | `dead-letters.show` | DeadLetterInput | DeadLetterContent |
 *     | `dead-letters.replay` | DeadLetterSelection | CountReport |
 *     | `dead-letters.discard` | DeadLetterSelection | CountReport |
 *     | `emitters.list` | `{}` | EmitterReport[] |
 *     | `emitters.forget` | EmitterInput | `{}` |
 *     | `emitters.skip` | EmitterInput | AmountReport |
 */
export interface AmountReport {
  readonly records: number;
  readonly bytes: number;
}

export interface StatusInput {
  /** Every stream of a collector. */
  readonly verbose: boolean;
}

/**
 * The queue's balance: accepted = before + delivered + queued + deadLettered + discarded, for each emitter.
 */
export interface AggregatorStatus {
  readonly role: 'aggregator';
  readonly accepted: AmountReport;
  readonly emitters: readonly EmitterBalanceReport[];
  readonly diskBytes: number;
}

export interface EmitterBalanceReport {
  readonly emitter: string;
  readonly before: AmountReport;
  readonly delivered: AmountReport;
  readonly queued: AmountReport;
  readonly deadLettered: AmountReport;
  readonly discarded: AmountReport;
}

/** In bytes: read = accepted + waiting. */
export interface CollectorStatus extends StreamBalanceReport {
  readonly role: 'collector';
  /** Bytes that were gone before they could be read, since the state was created. Earlier versions omit it. */
  readonly lost?: number;
  /** When requested. */
  readonly streams?: readonly (StreamBalanceReport & { readonly stream: string; readonly source: string })[];
}

export interface StreamBalanceReport {
  readonly read: number;
  readonly accepted: number;
  /** Read, and not accepted. */
  readonly waiting: number;
  /** In the files, and not read. */
  readonly unread: number;
}

export interface ExplainInput {
  /** Absolute. */
  readonly path: string;
}

export interface DeadLetterFilter {
  /** null: of all emitters. */
  readonly emitter: string | null;
}

export interface DeadLetterInput {
  readonly id: string;
}

/** Those with these ids; or with `ids` null, all of one emitter, or of all. */
export interface DeadLetterSelection extends DeadLetterFilter {
  readonly ids: readonly string[] | null;
}

export interface DeadLetterReport extends AmountReport {
  readonly id: string;
  readonly emitter: string;
  readonly stream: string;
  readonly position: number;
  readonly reason: string;
  readonly rejectedTimeUnixNano: string;
  readonly replaying: boolean;
}

export interface DeadLetterContent {
  readonly letter: DeadLetterReport;
  readonly format: string;
  readonly resource: Readonly<Record<string, string>>;
  /** The records back to back, as base64. */
  readonly data: string;
}

export interface CountReport {
  readonly count: number;
}

export interface EmitterReport {
  readonly name: string;
  /** In the configuration of the running aggregator; false also when none runs. */
  readonly configured: boolean;
  readonly queued: AmountReport;
  readonly deadLettered: AmountReport;
}

export interface EmitterInput {
  readonly name: string;
}
