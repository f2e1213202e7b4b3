import { setImmediate as turn } from 'node:timers/promises';
import { forEachLogRecord } from '../../formats/record-view.ts';
import { type GelfPresentation, gelfPresentation } from '../../protocols/gelf/gelf-presentation.ts';
import { messageOfRecord } from '../../protocols/gelf/message-of-record.ts';
import type { Batch } from '../../records/batch.ts';
import { type RecordBatch, sliceRecords } from '../../records/record-batch.ts';
import { errorMessage } from '../../runtime/error-message.ts';
import type { CheckedOutlet } from '../../transport/checked-outlet.ts';
import type { TransportFailure } from '../../transport/transport.ts';
import { isPacketAddress } from '../../transport/transport-address.ts';
import type { Emitter, EmitterContext, FlushOutcome } from '../emitter.ts';
import { DELIVERED, type Outcome, type Retry, retry } from '../outcome.ts';
import type { GelfConfiguration } from './configuration.ts';
import { GELF_EVENTS, type GelfEvents } from './events.ts';
import { openOutlet } from './open-outlet.ts';

/** Records converted at a time: blocks the event loop for a few milliseconds. */
const CHUNK_RECORDS = 64;
/** Size at which buffered messages are written. */
const WRITE_BYTES = 256 * 1024;

/**
 * Sends each record as a GELF message. At-least-once to the kernel: GELF has no acknowledgements, so a sender
 * can know at most that the kernel accepted all bytes on a connection that is still open (docs/gelf.md
 * describes the consequences).
 *
 * Delivery keeps the cursor, so this emitter keeps no state: when a connection breaks, everything since the
 * last flush counts as unsent, and delivery sends it again.
 */
export class GelfEmitter implements Emitter {
  readonly #configuration: GelfConfiguration;
  readonly #context: EmitterContext;
  readonly #presentation: GelfPresentation;
  readonly #events: GelfEvents;
  #outlet: CheckedOutlet | undefined;
  /** Messages were written since the last flush. */
  #dirty = false;
  #reopen = false;

  constructor(configuration: GelfConfiguration, context: EmitterContext) {
    this.#configuration = configuration;
    this.#context = context;
    this.#events = GELF_EVENTS.open({ ...context, labels: { emitter: context.name } });
    this.#presentation = gelfPresentation(isPacketAddress(configuration.address) ? 'packets' : 'stream', {
      host: configuration.host,
      level: configuration.level,
      booleans: configuration.booleans,
      objects: configuration.objects,
      compression: configuration.compression,
      compressionLevel: configuration.compression_level,
      datagramBytes: configuration.chunk_size,
      delimiter: configuration.delimiter,
      maxMessageBytes: configuration.max_message_bytes,
    });
  }

  /** Does not connect: the first write does. */
  async start(): Promise<void> {
    await this.#open();
  }

  async emit(batch: Batch, signal: AbortSignal): Promise<Outcome> {
    const outlet = await this.#current();
    if (outlet === undefined) return retry('the emitter is not started');
    let packets: Uint8Array[] = [];
    let messages = 0;
    let bytes = 0;
    const write = async (): Promise<Retry | undefined> => {
      this.#dirty = true;
      const failure = await outlet.write(packets, signal);
      if (failure !== undefined) return this.#failed(outlet, failure);
      this.#events.sent({ messages, bytes });
      packets = [];
      messages = 0;
      bytes = 0;
      return undefined;
    };
    for (const chunk of splitIntoChunks(batch)) {
      for (const presented of this.#messagesOf(chunk)) {
        for (const packet of presented) {
          packets.push(packet);
          bytes += packet.length;
        }
        messages++;
      }
      if (bytes < WRITE_BYTES) {
        await turn();
        continue;
      }
      const failed = await write();
      if (failed !== undefined) return failed;
    }
    return (messages > 0 ? await write() : undefined) ?? DELIVERED;
  }

  async flush(signal: AbortSignal): Promise<FlushOutcome> {
    if (!this.#dirty || this.#outlet === undefined) return DELIVERED;
    const failure = await this.#outlet.check(signal);
    if (failure !== undefined) return this.#failed(this.#outlet, failure);
    this.#dirty = false;
    return DELIVERED;
  }

  /** Reads the certificates again before the first message after the next flush. */
  async reopen(): Promise<void> {
    this.#reopen = true;
  }

  async stop(deadline: AbortSignal): Promise<void> {
    const outlet = this.#outlet;
    this.#outlet = undefined;
    await outlet?.close(deadline);
    this.#events.flush();
  }

  #messagesOf(chunk: RecordBatch): (readonly Uint8Array[])[] {
    const messages: (readonly Uint8Array[])[] = [];
    forEachLogRecord(chunk, (record) => {
      const presented = this.#presentation.present(messageOfRecord(record));
      // The configured size has room for a minimal message, and everything else can be truncated.
      if (presented === undefined) throw new RangeError('Cannot truncate a message enough');
      if (presented.cutBytes > 0) this.#events.cut({ cutBytes: presented.cutBytes });
      messages.push(presented.packets);
    });
    return messages;
  }

  async #current(): Promise<CheckedOutlet | undefined> {
    if (this.#reopen && !this.#dirty && this.#outlet !== undefined) {
      this.#reopen = false;
      const old = this.#outlet;
      try {
        await this.#open();
        await old.close(AbortSignal.abort());
      } catch (error) {
        this.#events.reopenFailed({ reason: errorMessage(error) });
      }
    }
    return this.#outlet;
  }

  async #open(): Promise<void> {
    const onTooLate = ({ reason }: TransportFailure) =>
      this.#events.tooLate({ address: this.#outlet?.address ?? '', reason });
    this.#outlet = await openOutlet(this.#configuration, this.#context.clock, onTooLate);
  }

  #failed(outlet: CheckedOutlet, { reason }: TransportFailure): Retry {
    this.#dirty = false;
    this.#events.failed();
    return { ...retry(`${outlet.address}: ${reason}`), rolledBack: true };
  }
}

function* splitIntoChunks(batch: Batch): Generator<RecordBatch> {
  for (const slice of batch.slices) {
    for (let from = 0; from < slice.sizes.length; from += CHUNK_RECORDS) {
      yield sliceRecords(slice, from, Math.min(from + CHUNK_RECORDS, slice.sizes.length));
    }
  }
}
