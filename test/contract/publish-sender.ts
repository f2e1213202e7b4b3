import type { PublishAnswer } from '../../src/aggregator/intake/publish/publish-transport.ts';
import { checkFromBytes, checkOf } from '../../src/records/check.ts';
import { encodeBatchRequest, encodeRequest } from '../../src/records/publish-codec.ts';
import type { RecordBatch } from '../../src/records/record-batch.ts';
import { type StreamId, streamIdFromBytes, streamIdToBytes } from '../../src/records/stream-id.ts';
import type { Answer, Evidence, IntakeSender, Opened, SenderIdentity } from './intake-fixture.ts';

/** A collector that speaks the Publish protocol over any connection. */
export class PublishSender implements IntakeSender {
  readonly ended: Promise<string>;
  busy: string | undefined;
  readonly #write: (request: Buffer) => void;
  readonly #openings = new Map<StreamId, (opened: Opened) => void>();
  readonly #batches = new Map<number, (answer: Answer) => void>();
  #sequence = 0;

  constructor(write: (request: Buffer) => void, ended: Promise<string>) {
    this.#write = write;
    this.ended = ended.then((reason) => {
      for (const resolve of this.#batches.values()) resolve({ kind: 'unanswered' });
      return reason;
    });
  }

  hello({ collectorId, instance = 1n }: SenderIdentity): this {
    const value = { collectorId, instance, protocolVersion: 1, software: 'test', host: 'h' };
    this.#write(encodeRequest({ message: { $case: 'hello', value } }));
    return this;
  }

  open(stream: StreamId): Promise<Opened> {
    const value = { stream: streamIdToBytes(stream), accepted: 0n };
    return new Promise((resolve) => {
      this.#openings.set(stream, resolve);
      this.#write(encodeRequest({ message: { $case: 'openStream', value } }));
    });
  }

  send(batch: RecordBatch, { checksums, endCheck = checkOf(batch.data) }: Evidence = {}): Promise<Answer> {
    const sequence = ++this.#sequence;
    const data = { compression: 'none', bytes: batch.data } as const;
    return new Promise((resolve) => {
      this.#batches.set(sequence, resolve);
      this.#write(encodeBatchRequest({ sequence, endCheck, checksums, batch, data }));
    });
  }

  receive(answer: PublishAnswer): void {
    if (answer.$case === 'busy') this.busy = answer.value.reason;
    else if (answer.$case === 'accepted')
      for (const sequence of answer.value.sequences) this.#answered(sequence, { kind: 'accepted' });
    else if (answer.$case === 'refused') {
      const { sequence, reason, cause } = answer.value;
      this.#answered(sequence, { kind: 'refused', reason, hasOtherBytes: cause === 1 });
    } else if (answer.$case === 'streamOpened') {
      const { stream, end, contiguousEnd, check, refusal } = answer.value;
      const resolve = this.#openings.get(streamIdFromBytes(stream) as StreamId);
      resolve?.({
        end: Number(end),
        contiguousEnd: Number(contiguousEnd),
        check: checkFromBytes(check),
        refusal,
      });
    }
  }

  #answered(sequence: bigint, answer: Answer): void {
    this.#batches.get(Number(sequence))?.(answer);
    this.#batches.delete(Number(sequence));
  }
}
