import { PUBLISH_PATH } from '../../records/publish-codec.ts';
import type { Clock } from '../../runtime/clock.ts';
import { parseEndpoint } from '../../runtime/configuration/address.ts';
import type { TlsMaterial } from '../../runtime/tls.ts';
import { GrpcClient } from '../../transport/grpc/grpc-client.ts';
import { GrpcPublishTransport } from './grpc-publish-transport.ts';
import type { PublishTransport } from './publish-transport.ts';

/** One address of an aggregator; opens Publish calls. The publisher reconnects, so a call fails at once. */
export class PublishClient {
  readonly #client: GrpcClient;

  constructor(address: string, { tls, clock, software }: PublishClientOptions) {
    this.#client = new GrpcClient({
      endpoint: parseEndpoint(address),
      tls,
      clock,
      maxMessageBytes: MAX_ANSWER_BYTES,
      userAgent: software,
    });
  }

  publish(): PublishTransport {
    return new GrpcPublishTransport((receiver) => this.#client.call(PUBLISH_PATH, receiver));
  }

  close(): void {
    this.#client.close();
  }
}

const MAX_ANSWER_BYTES = 1024 * 1024;

export interface PublishClientOptions {
  /** undefined: plain text. */
  readonly tls: TlsMaterial | undefined;
  readonly clock: Clock;
  /** `mega-collector/0.1.0` */
  readonly software: string;
}
