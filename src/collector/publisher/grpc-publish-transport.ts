import { type ClientDuplexStream, type StatusObject, status as statusCode } from '@grpc/grpc-js';
import type { PublishResponse } from '../../records/gen/megacollector/v1/aggregator.ts';
import type { OutgoingRequest } from '../../records/publish-codec.ts';
import { conciseReason } from './concise-reason.ts';
import type { AnswerReceiver, PublishTransport } from './publish-transport.ts';

/** A Publish call over gRPC. */
export class GrpcPublishTransport implements PublishTransport {
  readonly #stream: PublishStream;

  constructor(stream: PublishStream) {
    this.#stream = stream;
  }

  deliverTo(receiver: AnswerReceiver): void {
    this.#stream.on('data', ({ message }: PublishResponse) => receiver.receive(message));
    // grpc-js emits the status of a failed call too.
    this.#stream.on('error', () => {});
    this.#stream.on('status', ({ code, details }: StatusObject) =>
      receiver.closed({
        reason: conciseReason(details) || 'the aggregator ended the call',
        replaced: code === statusCode.ABORTED,
      }),
    );
  }

  send(request: OutgoingRequest, onSent?: () => void): void {
    this.#stream.write(request, (error?: Error | null) => {
      if (error == null) onSent?.();
    });
  }

  end(): void {
    this.#stream.end();
  }

  cancel(): void {
    this.#stream.cancel();
  }
}

export type PublishStream = ClientDuplexStream<OutgoingRequest, PublishResponse>;
