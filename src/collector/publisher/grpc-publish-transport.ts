import type { GrpcCall, GrpcCallReceiver } from '../../protocols/grpc/grpc-call.ts';
import { GRPC_STATUS, type GrpcStatus } from '../../protocols/grpc/grpc-status.ts';
import type { PublishResponse } from '../../records/gen/megacollector/v1/aggregator.ts';
import { decodeResponse, type OutgoingRequest, requestParts } from '../../records/publish-codec.ts';
import { conciseReason } from './concise-reason.ts';
import type { AnswerReceiver, PublishTransport } from './publish-transport.ts';

/** A Publish call over gRPC. */
export class GrpcPublishTransport implements PublishTransport {
  readonly #begin: (receiver: GrpcCallReceiver) => GrpcCall;
  #call: GrpcCall | undefined;

  constructor(begin: (receiver: GrpcCallReceiver) => GrpcCall) {
    this.#begin = begin;
  }

  deliverTo(receiver: AnswerReceiver): void {
    const call = this.#begin({
      message: (bytes) => {
        const answer = decoded(bytes);
        if (answer === undefined) call.cancel(NO_PROTOBUF);
        else receiver.receive(answer.message);
      },
      closed: ({ code, message }) =>
        receiver.closed({
          reason: conciseReason(message) || 'the aggregator ended the call',
          replaced: code === GRPC_STATUS.aborted,
        }),
    });
    this.#call = call;
  }

  send(request: OutgoingRequest, onSent?: () => void): void {
    this.#call?.send(requestParts(request), onSent);
  }

  end(): void {
    this.#call?.end();
  }

  cancel(): void {
    this.#call?.cancel();
  }
}

const NO_PROTOBUF: GrpcStatus = {
  code: GRPC_STATUS.internal,
  message: 'an answer of the aggregator is not protobuf',
};

function decoded(bytes: Buffer): PublishResponse | undefined {
  try {
    return decodeResponse(bytes);
  } catch {
    return undefined;
  }
}
