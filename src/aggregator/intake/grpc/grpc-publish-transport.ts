import { type ServerDuplexStream, status } from '@grpc/grpc-js';
import type { PublishResponse } from '../../../records/gen/megacollector/v1/aggregator.ts';
import type { IncomingRequest } from '../../../records/publish-codec.ts';
import type {
  CallFailure,
  PublishAnswer,
  PublishReceiver,
  PublishTransport,
} from '../publish/publish-transport.ts';

const STATUS: Record<CallFailure, status> = {
  unavailable: status.UNAVAILABLE,
  'protocol-broken': status.INVALID_ARGUMENT,
  'no-hello': status.DEADLINE_EXCEEDED,
  'wrong-version': status.FAILED_PRECONDITION,
  'not-permitted': status.PERMISSION_DENIED,
  'too-many-refusals': status.RESOURCE_EXHAUSTED,
  replaced: status.ABORTED,
};

/** A Publish call over gRPC. */
export class GrpcPublishTransport implements PublishTransport {
  readonly peer: string;
  readonly tlsSubject: string | undefined;
  readonly #stream: PublishStream;

  constructor(stream: PublishStream) {
    this.#stream = stream;
    this.peer = stream.getPeer();
    this.tlsSubject = subjectOf(stream);
  }

  deliverTo(receiver: PublishReceiver): void {
    this.#stream.on('data', (request: IncomingRequest) => receiver.receive(request));
    this.#stream.on('end', () => receiver.peerEnded());
    this.#stream.on('drain', () => receiver.drained());
    this.#stream.on('cancelled', () => receiver.closed('cancelled by the peer'));
    this.#stream.on('error', (error: Error) => receiver.closed(error.message));
    this.#stream.on('close', () => receiver.closed('closed'));
  }

  send(message: PublishAnswer): boolean {
    return this.#stream.write({ message });
  }

  pause(): void {
    this.#stream.pause();
  }

  resume(): void {
    this.#stream.resume();
  }

  end(): void {
    this.#stream.end();
  }

  fail(failure: CallFailure, reason: string): void {
    // grpc-js turns this event into the trailers of the call.
    this.#stream.emit('error', { code: STATUS[failure], details: reason });
  }
}

export type PublishStream = ServerDuplexStream<IncomingRequest, PublishResponse>;

/** As `CN=..., O=...`. */
function subjectOf(stream: PublishStream): string | undefined {
  const subject = stream.getAuthContext().sslPeerCertificate?.subject;
  if (subject === undefined) return undefined;
  return Object.entries(subject)
    .map(([name, value]) => `${name}=${String(value)}`)
    .join(', ');
}
