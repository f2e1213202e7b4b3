import type { RequestCodec } from '../../protocols/otlp/request-codec.ts';
import type { Batch } from '../../records/batch.ts';
import { errorMessage } from '../../runtime/error-message.ts';
import type { Emitter, EmitterContext } from '../emitter.ts';
import { DELIVERED, type Delivered, type Outcome, rejected, retry } from '../outcome.ts';
import { SentRecords } from '../sent-records.ts';
import { UnsentBatch } from '../unsent-batch.ts';
import type { OtlpConfiguration } from './configuration.ts';
import { OTLP_EVENTS, type OtlpEvents } from './events.ts';
import type { ExportClient, ExportResult } from './export-client.ts';
import { codecOf, openClient } from './open-client.ts';
import { type OutgoingRequest, outgoingRequests } from './outgoing-requests.ts';

/**
 * Sends records as logs of OpenTelemetry. At-least-once to the receiver: a request whose answer is lost is sent again. The
 * attribute `log.record.uid` of a record is the same each time.
 *
 * `emit` sends the requests of a batch one after the other, so `flush` has nothing to do. The records of accepted requests
 * are remembered: when delivery emits the batch again after a failure, they are not sent again. This memory is lost in a
 * crash. A request that is partly accepted is never sent again, because the receiver does not name the rejected records.
 */
export class OtlpEmitter implements Emitter {
  readonly #configuration: OtlpConfiguration;
  readonly #context: EmitterContext;
  readonly #events: OtlpEvents;
  readonly #codec: RequestCodec;
  readonly #sent = new SentRecords();
  #client: ExportClient | undefined;
  #reopen = false;

  constructor(configuration: OtlpConfiguration, context: EmitterContext) {
    this.#configuration = configuration;
    this.#context = context;
    this.#events = OTLP_EVENTS.open({ ...context, labels: { emitter: context.name } });
    this.#codec = codecOf(configuration);
  }

  /** Does not connect: the first batch does. */
  async start(): Promise<void> {
    this.#client = await openClient(this.#configuration, this.#context.clock);
  }

  async emit(batch: Batch, signal: AbortSignal): Promise<Outcome> {
    const client = await this.#current();
    if (client === undefined) return retry('the emitter is not started');
    const unsent = new UnsentBatch(batch, this.#sent);
    const { batch_records: records, batch_bytes: bytes } = this.#configuration;
    for (const request of outgoingRequests(unsent.slices(), this.#codec, { records, bytes })) {
      this.#events.sent({ bytes: request.body.length });
      const result = await client.send(request.body, signal);
      if (result.kind !== 'accepted') {
        unsent.rememberAccepted();
        return this.#failed(result);
      }
      this.#accepted(request, result);
      for (let index = request.from; index < request.to; index++) unsent.accept(index);
    }
    unsent.forget();
    return DELIVERED;
  }

  /** Has nothing to do: `emit` waits for all answers. */
  async flush(): Promise<Delivered> {
    return DELIVERED;
  }

  /** Reads the certificates again before the next batch. */
  async reopen(): Promise<void> {
    this.#reopen = true;
  }

  async stop(): Promise<void> {
    this.#client?.close();
    this.#client = undefined;
    this.#events.flush();
  }

  #accepted({ from, to }: OutgoingRequest, { rejected: lost, message }: Accepted): void {
    const records = Math.min(lost, to - from);
    this.#events.accepted({ records: to - from - records });
    if (records > 0) this.#events.partiallyRejected({ records, reason: message });
    else if (message !== '') this.#events.warned({ reason: message });
  }

  /** Delivery finds the rejected record: it emits the batch again in parts. */
  #failed(result: Exclude<ExportResult, Accepted>): Outcome {
    if (result.kind === 'rejected') return rejected(result.reason);
    this.#events.failed();
    return retry(result.reason, result.afterMs);
  }

  async #current(): Promise<ExportClient | undefined> {
    const old = this.#client;
    if (!this.#reopen || old === undefined) return old;
    this.#reopen = false;
    try {
      this.#client = await openClient(this.#configuration, this.#context.clock);
      old.close();
    } catch (error) {
      this.#events.reopenFailed({ reason: errorMessage(error) });
    }
    return this.#client;
  }
}

type Accepted = Extract<ExportResult, { readonly kind: 'accepted' }>;
