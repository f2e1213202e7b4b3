import type { PublishResponse } from '../../records/gen/megacollector/v1/aggregator.ts';
import type { OutgoingRequest } from '../../records/publish-codec.ts';

/** One Publish call as the protocol sees it: messages in both directions, in order. gRPC is one transport. */
export interface PublishTransport {
  /** Called once, before the first message is sent. */
  deliverTo(receiver: AnswerReceiver): void;
  /**
   * Calls `onSent` when the request is passed on to the network and its bytes are not needed any more; never when that
   * fails.
   */
  send(request: OutgoingRequest, onSent?: () => void): void;
  /** Sends no more requests; the aggregator ends the call after its answers. */
  end(): void;
  /** Ends the call at once. */
  cancel(): void;
}

export interface AnswerReceiver {
  receive(answer: PublishResponse['message']): void;
  /** The call has ended; called once. */
  closed(end: CallEnd): void;
}

export interface CallEnd {
  readonly reason: string;
  /** A newer call with this collector's id has begun: another process has a copy of its state. */
  readonly replaced: boolean;
}
