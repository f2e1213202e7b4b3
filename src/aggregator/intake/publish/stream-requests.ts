import type { FinalStream, OpenStream } from '../../../records/gen/megacollector/v1/aggregator.ts';
import type { Position } from '../../../records/position.ts';
import { contiguousEnd } from '../../../records/ranges.ts';
import { STREAM_ID_BYTES, type StreamId, streamIdFromBytes } from '../../../records/stream-id.ts';
import type { IntakeContext } from '../intake.ts';
import type { CallStreams } from './call-streams.ts';
import type { CollectorInstances } from './collector-instances.ts';
import type { ConnectedCollector } from './connected-collector.ts';
import type { PublishAnswer } from './publish-transport.ts';
import { divergedAnswer, openedAnswer, refusedAnswer } from './stream-answers.ts';

/** Refusals without an accepted batch between them. An honest collector has one for each of its streams. */
const MAX_REFUSALS = 16_384;
const MAX_POSITION = BigInt(Number.MAX_SAFE_INTEGER);

export interface StreamRequestsOptions {
  readonly context: Pick<IntakeContext, 'ledger' | 'batches' | 'events'> & {
    readonly instances: CollectorInstances;
  };
  readonly streams: CallStreams;
  readonly send: (answer: PublishAnswer) => void;
  /** An opening that had to wait is answered. */
  readonly onAnswered: () => void;
}

/** Opens and finishes the streams of one call. The methods return why a message breaks the protocol, if it does. */
export class StreamRequests {
  readonly #options: StreamRequestsOptions;
  #waiting = 0;
  #refusals = 0;
  #isClosed = false;

  constructor(options: StreamRequestsOptions) {
    this.#options = options;
  }

  /** Openings whose answer waits for batches of an older call. */
  get waiting(): number {
    return this.#waiting;
  }

  get hasTooManyRefusals(): boolean {
    return this.#refusals > MAX_REFUSALS;
  }

  open({ stream: bytes, accepted }: OpenStream, collector: ConnectedCollector): string | undefined {
    const stream = streamIdFromBytes(bytes);
    if (stream === undefined) return `a stream id must be ${STREAM_ID_BYTES} bytes, got ${bytes.length}`;
    if (accepted > MAX_POSITION) return `position ${accepted} is out of range`;
    const { streams, context } = this.#options;
    if (streams.open(stream)) {
      this.#waiting++;
      context.batches.whenSettled(stream, () => this.#settled(stream, Number(accepted), collector));
    } else this.#refuse(stream, 'too many streams are open', collector);
    return undefined;
  }

  finish({ stream: bytes, end }: FinalStream, collector: ConnectedCollector): string | undefined {
    const stream = streamIdFromBytes(bytes);
    if (stream === undefined || end > MAX_POSITION)
      return 'a final message must have a stream id and a position';
    const { streams, context } = this.#options;
    if (streams.isOpen(stream) && context.ledger.finish(stream, Number(end), collector.owner))
      streams.forget(stream);
    else {
      // The protocol has no answer to a final message: it is logged and counted.
      context.events.finalRefused({ ...collector.peer, stream });
      this.#refusals++;
    }
    return undefined;
  }

  /** A batch was accepted. */
  forgetRefusals(): void {
    this.#refusals = 0;
  }

  /** The call has ended. */
  close(): void {
    this.#isClosed = true;
    this.#options.streams.forgetAll();
  }

  #settled(stream: StreamId, accepted: Position, collector: ConnectedCollector): void {
    this.#waiting--;
    if (this.#isClosed) return;
    this.#answer(stream, accepted, collector);
    this.#options.onAnswered();
  }

  #answer(stream: StreamId, accepted: Position, collector: ConnectedCollector): void {
    const { streams, send, context } = this.#options;
    const { owner } = collector;
    const opening = context.ledger.open(stream, owner);
    if (opening.kind === 'refused') return this.#refuse(stream, opening.reason, collector);
    streams.opened(stream, opening.end);
    const answer = openedAnswer(stream, opening, contiguousEnd(accepted, context.ledger.ranges(stream)));
    const hasDiverged = context.instances.isOfAnother(owner.collectorId, collector, opening.instance);
    send({ $case: 'streamOpened', value: hasDiverged ? divergedAnswer(answer) : answer });
  }

  #refuse(stream: StreamId, reason: string, { peer }: ConnectedCollector): void {
    const { streams, send, context } = this.#options;
    streams.refuse(stream, reason);
    context.events.streamRefused({ ...peer, stream, reason });
    this.#refusals++;
    send({ $case: 'streamOpened', value: refusedAnswer(stream, reason) });
  }
}
