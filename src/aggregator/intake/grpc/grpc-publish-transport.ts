import type { GrpcServerCall, GrpcServerMethod } from '../../../protocols/grpc/grpc-server-method.ts';
import { GRPC_STATUS } from '../../../protocols/grpc/grpc-status.ts';
import { decodeRequest, encodeResponse } from '../../../records/publish-codec.ts';
import type {
  CallFailure,
  PublishAnswer,
  PublishReceiver,
  PublishTransport,
} from '../publish/publish-transport.ts';

const STATUS: Record<CallFailure, number> = {
  unavailable: GRPC_STATUS.unavailable,
  'protocol-broken': GRPC_STATUS.invalidArgument,
  'no-hello': GRPC_STATUS.deadlineExceeded,
  'wrong-version': GRPC_STATUS.failedPrecondition,
  'not-permitted': GRPC_STATUS.permissionDenied,
  'too-many-refusals': GRPC_STATUS.resourceExhausted,
  replaced: GRPC_STATUS.aborted,
};

/** The method of the collectors. */
export function publishMethod(accept: (transport: PublishTransport) => PublishReceiver): GrpcServerMethod {
  return (call) => {
    const receiver = accept(new GrpcPublishTransport(call));
    return {
      mayReceive: (bytes) => receiver.mayReceive(bytes),
      receive: (message) => receiver.receive(decodeRequest(message)),
      drained: () => receiver.drained(),
      peerEnded: () => receiver.peerEnded(),
      closed: (reason) => receiver.closed(reason),
    };
  };
}

/** A Publish call over gRPC. */
class GrpcPublishTransport implements PublishTransport {
  readonly peer: string;
  readonly host: string;
  readonly tlsSubject: string | undefined;
  readonly #call: GrpcServerCall;

  constructor(call: GrpcServerCall) {
    this.#call = call;
    this.peer = call.peer.address;
    this.host = call.peer.host;
    this.tlsSubject = call.peer.tlsSubject;
  }

  send(message: PublishAnswer): boolean {
    return this.#call.send(encodeResponse({ message }));
  }

  pause(): void {
    this.#call.pause();
  }

  resume(): void {
    this.#call.resume();
  }

  end(): void {
    this.#call.end();
  }

  fail(failure: CallFailure, reason: string): void {
    this.#call.end({ code: STATUS[failure], message: reason });
  }
}
