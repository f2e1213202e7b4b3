import type { Logger } from 'pino';
import type { Registry } from 'prom-client';
import type { BufferPool } from '../../runtime/buffer-pool.ts';
import type { Clock } from '../../runtime/clock.ts';
import type { Component } from '../../runtime/component.ts';
import type { Ledger, QueueWriter } from '../../storage/queue/queue-contract.ts';
import type { CollectorRegister } from './activity/collector-register.ts';
import type { BatchAcceptor } from './batch-acceptor.ts';
import type { IntakeEvents } from './events.ts';

/**
 * One way for record batches to enter the aggregator: gRPC calls of collectors, or a queue of RabbitMQ. An intake speaks a protocol and
 * authenticates its senders; `BatchAcceptor` and the ledger decide about the batches, the same for all intakes.
 *
 *     sender --protocol--> intake --verifyBatch--> BatchAcceptor --> queue
 *            <---answer---        <---------------- outcome
 *
 * Rules for every intake (`test/contract/intake-contract.ts`)
 *   - It reports a batch as accepted only after the acceptor's outcome is `accepted`: then all its bytes are flushed.
 *   - It never reports an unanswered batch as accepted. The sender sends it again, and the ledger finds the repetition.
 *   - It opens a stream in the ledger, for its owner, before the first batch of the stream.
 *   - It stops reading its senders while the queue is stopped or the acceptor has no room.
 *   - `stop` stops reading, waits until the deadline for the outcome of each batch that it has passed on, and answers it.
 */
export interface Intake extends Component {
  /** For log lines: `grpc`, `rabbitmq`. */
  readonly name: string;
}

/** Creates an intake that is not started. The aggregator has a list of these. */
export type CreateIntake = (context: IntakeContext) => Intake;

/** What all intakes share. */
export interface IntakeContext {
  readonly queue: Pick<QueueWriter, 'stopped' | 'onStopped'>;
  readonly ledger: Ledger;
  readonly batches: BatchAcceptor;
  /** For operators. An intake reports its senders here. */
  readonly collectors: CollectorRegister;
  readonly events: IntakeEvents;
  /** Name and version of this aggregator, for its peers. */
  readonly software: string;
  /** Number of queued records that the slowest emitter has not delivered, for a collector that requests it. */
  readonly undeliveredRecords?: (() => number) | undefined;
  /** Memory for received messages; the queue returns it. undefined: each message has new memory. */
  readonly messages?: BufferPool | undefined;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly metrics: Registry;
}
