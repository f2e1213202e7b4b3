import type { PublishAnswer } from './publish-transport.ts';

/** `RefusalCause` */
const UNSPECIFIED = 0;
const OTHER_BYTES = 1;
/** Refusals without an accepted batch between them. An honest collector has one for each of its streams. */
const MAX_REFUSALS = 1_000;

/** The answers to the batches of one call. */
export class BatchAnswers {
  readonly #send: (answer: PublishAnswer) => void;
  #undeliveredRecords: (() => number) | undefined;
  #accepted: bigint[] = [];
  #refusals = 0;

  constructor(send: (answer: PublishAnswer) => void) {
    this.#send = send;
  }

  /** From now on, each answer to accepted batches has this number. */
  reportUndelivered(records: (() => number) | undefined): void {
    this.#undeliveredRecords = records;
  }

  get hasTooManyRefusals(): boolean {
    return this.#refusals > MAX_REFUSALS;
  }

  /** One group commit accepts many batches: one message answers them. */
  accepted(sequence: number): void {
    this.#refusals = 0;
    this.#accepted.push(BigInt(sequence));
    if (this.#accepted.length === 1) setImmediate(() => this.flush());
  }

  refused(sequence: number, refusal: { readonly reason: string; readonly hasOtherBytes: boolean }): void {
    this.#refusals++;
    const { reason, hasOtherBytes } = refusal;
    const cause = hasOtherBytes ? OTHER_BYTES : UNSPECIFIED;
    this.#send({ $case: 'refused', value: { sequence: BigInt(sequence), reason, cause } });
  }

  /** Sends the answers that wait. */
  flush(): void {
    const sequences = this.#accepted.splice(0);
    if (sequences.length === 0) return;
    const undelivered = this.#undeliveredRecords?.();
    const report = undelivered === undefined ? {} : { undeliveredRecords: BigInt(undelivered) };
    this.#send({ $case: 'accepted', value: { sequences, ...report } });
  }
}
