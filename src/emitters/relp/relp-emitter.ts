import { OK, type RelpAnswer } from '../../protocols/relp/client-session.ts';
import type { MessageSettings } from '../../protocols/syslog/write-record.ts';
import type { Batch } from '../../records/batch.ts';
import type { RecordBatch } from '../../records/record-batch.ts';
import { errorMessage } from '../../runtime/error-message.ts';
import type { RelpClient } from '../../transport/relp-client.ts';
import type { Emitter, EmitterContext } from '../emitter.ts';
import { DELIVERED, type Delivered, type Outcome, rejected, retry } from '../outcome.ts';
import { SentRecords } from '../sent-records.ts';
import { messageSettings } from '../syslog-message-options.ts';
import { UnsentBatch } from '../unsent-batch.ts';
import { writeSlice } from '../write-slice.ts';
import type { RelpConfiguration } from './configuration.ts';
import { RELP_EVENTS, type RelpEvents } from './events.ts';
import { openClient } from './open-client.ts';

/**
 * Sends each record as a syslog message over RELP. At-least-once to the server: a record counts as delivered
 * only when the server has answered it with 200.
 *
 * `emit` sends a batch with a window of unanswered messages and waits for all answers, so `flush` has nothing
 * to do. A record with another answer is rejected alone. When a connection fails, delivery emits the batch
 * again after its backoff; the records with an answer are remembered and not sent again. This memory is lost
 * in a crash.
 */
export class RelpEmitter implements Emitter {
  readonly #configuration: RelpConfiguration;
  readonly #context: EmitterContext;
  readonly #events: RelpEvents;
  readonly #settings: MessageSettings;
  readonly #sent = new SentRecords();
  #client: RelpClient | undefined;
  #reopen = false;

  constructor(configuration: RelpConfiguration, context: EmitterContext) {
    this.#configuration = configuration;
    this.#context = context;
    this.#events = RELP_EVENTS.open({ ...context, labels: { emitter: context.name } });
    this.#settings = messageSettings(configuration);
  }

  /** Does not connect: the first batch does. */
  async start(): Promise<void> {
    this.#client = await openClient(this.#configuration, this.#context.clock);
  }

  async emit(batch: Batch, signal: AbortSignal): Promise<Outcome> {
    const client = await this.#current();
    if (client === undefined) return retry('the emitter is not started');
    const unsent = new UnsentBatch(batch, this.#sent);
    const rejections: { readonly index: number; readonly answer: RelpAnswer }[] = [];
    let accepted = 0;
    const onAnswer = (index: number, answer: RelpAnswer) => {
      if (answer.code === OK) {
        unsent.accept(index);
        accepted++;
      } else {
        rejections.push({ index: unsent.indexInBatch(index), answer });
      }
    };
    const failure = await client.deliver(this.#messages(unsent.slices()), onAnswer, signal);
    this.#events.accepted({ messages: accepted });
    if (rejections.length === 0 && failure === undefined) {
      unsent.forget();
      return DELIVERED;
    }
    unsent.rememberAccepted();
    if (rejections.length > 0) return this.#rejected(client.address, rejections);
    this.#events.failed();
    return retry(`${client.address}: ${failure?.reason ?? ''}`);
  }

  /** Has nothing to do: `emit` waits for all answers. */
  async flush(): Promise<Delivered> {
    return DELIVERED;
  }

  /** Reads the certificates again before the next batch. */
  async reopen(): Promise<void> {
    this.#reopen = true;
  }

  async stop(deadline: AbortSignal): Promise<void> {
    const client = this.#client;
    this.#client = undefined;
    await client?.close(deadline);
    this.#events.flush();
  }

  *#messages(slices: Iterable<RecordBatch>): Generator<Uint8Array> {
    for (const slice of slices) {
      for (const { bytes, cutBytes } of writeSlice(slice, this.#settings)) {
        if (cutBytes > 0) this.#events.cut({ cutBytes });
        yield bytes;
      }
    }
  }

  #rejected(
    address: string,
    rejections: readonly { readonly index: number; readonly answer: RelpAnswer }[],
  ): Outcome {
    this.#events.rejected({ messages: rejections.length });
    const { code, text } = rejections[0]?.answer ?? { code: 0, text: '' };
    const records = rejections.map(({ index }) => index).sort((a, b) => a - b);
    return rejected(`${address}: the server rejected the message: ${code} ${text}`.trim(), records);
  }

  async #current(): Promise<RelpClient | undefined> {
    const old = this.#client;
    if (!this.#reopen || old === undefined) return old;
    this.#reopen = false;
    try {
      this.#client = await openClient(this.#configuration, this.#context.clock);
      await old.close(AbortSignal.abort());
    } catch (error) {
      this.#events.reopenFailed({ reason: errorMessage(error) });
    }
    return this.#client;
  }
}
