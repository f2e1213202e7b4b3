import { checkFromBytes } from '../../records/check.ts';
import { checksumFromMessage } from '../../records/checksum-codec.ts';
import type { PublishRequest, StreamOpened } from '../../records/gen/megacollector/v1/aggregator.ts';
import { type StreamId, streamIdFromBytes, streamIdToBytes } from '../../records/stream-id.ts';
import type { Cancel, Clock } from '../../runtime/clock.ts';
import type { ResumeDecision } from '../source.ts';
import type { PublisherEvents } from './events.ts';
import type { PublishedStream } from './published-stream.ts';

const TRY_REFUSED_AGAIN_MS = 60 * 60_000;

export interface StreamPhasesOptions {
  readonly streams: ReadonlyMap<StreamId, PublishedStream>;
  readonly events: PublisherEvents;
  readonly clock: Clock;
  readonly send: (message: NonNullable<PublishRequest['message']>) => void;
  /** The stream must be opened, or may have records to send. */
  readonly enqueue: (stream: PublishedStream) => void;
  /** The stream gets no more bytes, and all of it is accepted. */
  readonly finished: (stream: PublishedStream) => void;
}

/** The beginning and the end of each stream on one call: opened, refused, opened again, finished. */
export class StreamPhases {
  readonly #options: StreamPhasesOptions;
  readonly #timers = new Set<Cancel>();

  constructor(options: StreamPhasesOptions) {
    this.#options = options;
  }

  open(stream: PublishedStream): void {
    stream.phase = 'opening';
    const { id, accepted } = stream.source;
    const value = { stream: streamIdToBytes(id), accepted: BigInt(accepted) };
    this.#options.send({ $case: 'openStream', value });
  }

  /** The aggregator has answered: the source decides where to continue. */
  async opened(opened: StreamOpened): Promise<void> {
    const id = streamIdFromBytes(opened.stream);
    const stream = id === undefined ? undefined : this.#options.streams.get(id);
    if (stream?.phase !== 'opening') return;
    if (opened.refusal !== '') return this.refuse(stream, opened.refusal);
    const decision = await this.#resume(stream, opened);
    if (decision.kind === 'ended')
      return this.#options.events.streamEndedOnResume({ stream: stream.source.id });
    stream.next = decision.from;
    stream.phase = 'open';
    this.#options.enqueue(stream);
  }

  /** The aggregator has other bytes of this stream: its next answer shows where they differ. */
  reopen(stream: PublishedStream): void {
    stream.reset();
    stream.reopened = true;
    this.#options.enqueue(stream);
  }

  /** Stops the stream on this call, and tries it again after an hour. */
  refuse(stream: PublishedStream, reason: string): void {
    const { events, clock, enqueue } = this.#options;
    stream.phase = 'refused';
    events.refused({ stream: stream.source.id, reason });
    stream.source.refuse(reason);
    this.#timers.add(
      clock.after(TRY_REFUSED_AGAIN_MS, () => {
        stream.reset();
        enqueue(stream);
      }),
    );
  }

  /** The source has no more bytes: reports it when all batches are answered. */
  finish(stream: PublishedStream): void {
    if (stream.unanswered.size > 0) return;
    const { id, accepted } = stream.source;
    const value = { stream: streamIdToBytes(id), end: BigInt(accepted) };
    this.#options.send({ $case: 'finalStream', value });
    this.#options.finished(stream);
  }

  /** The call has ended. */
  close(): void {
    for (const cancel of this.#timers) cancel();
  }

  async #resume({ source }: PublishedStream, opened: StreamOpened): Promise<ResumeDecision> {
    try {
      return await source.resume({
        end: Number(opened.end),
        check: checkFromBytes(opened.check),
        checksum: checksumFromMessage(opened.checksum),
        contiguousEnd: Number(opened.contiguousEnd),
      });
    } catch (error) {
      this.#options.events.readFailed({ stream: source.id, err: error });
      return { kind: 'continue', from: source.accepted };
    }
  }
}
