import type { Check } from '../../src/records/check.ts';
import type { ChecksumPair } from '../../src/records/checksum-codec.ts';
import type { Position } from '../../src/records/position.ts';
import type { RecordBatch } from '../../src/records/record-batch.ts';
import type { StreamId } from '../../src/records/stream-id.ts';
import type { Ledger, QueueWriter } from '../../src/storage/queue/queue-contract.ts';

/** One kind of intake for the tests of the contract. */
export interface IntakeFixture {
  readonly name: string;
  start(queue: QueueWriter, ledger: Ledger): Promise<RunningIntake>;
}

export interface RunningIntake {
  connect(sender: SenderIdentity): Promise<IntakeSender>;
  stop(deadline: AbortSignal): Promise<void>;
}

export interface SenderIdentity {
  readonly collectorId: Buffer;
  readonly instance?: bigint;
  /** Name of the certificate; senders with one name have one certificate. */
  readonly certificate?: string;
}

export interface IntakeSender {
  open(stream: StreamId): Promise<Opened>;
  /** Resolves with the answer, or `unanswered` when the connection ends first. */
  send(batch: RecordBatch, evidence?: Evidence): Promise<Answer>;
  /** The reason that the intake gave for ending the connection. */
  readonly ended: Promise<string>;
  /** Why the intake reads no records now, as the sender was informed. */
  readonly busy: string | undefined;
}

export interface Evidence {
  readonly checksums?: ChecksumPair;
  readonly endCheck?: Check;
}

export interface Opened {
  readonly end: Position;
  readonly contiguousEnd: Position;
  readonly check: Check | undefined;
  readonly refusal: string;
}

export type Answer =
  | { readonly kind: 'accepted' }
  | { readonly kind: 'refused'; readonly reason: string; readonly hasOtherBytes: boolean }
  | { readonly kind: 'unanswered' };
