import {
  type ChannelCredentials,
  Client,
  type ClientDuplexStream,
  credentials,
  type StatusObject,
} from '@grpc/grpc-js';
import { onTestFinished } from 'vitest';
import type { PublishRequest, PublishResponse } from '../../src/records/gen/megacollector/v1/aggregator.ts';
import { decodeResponse, encodeRequest } from '../../src/records/publish-codec.ts';

type Message<T extends { message: unknown }> = NonNullable<T['message']>;

/** A peer that sends any bytes of a test. */
export class RawPublishClient {
  readonly #client: Client;
  readonly stream: ClientDuplexStream<Buffer, PublishResponse>;
  readonly responses: Message<PublishResponse>[] = [];
  readonly status: Promise<StatusObject>;

  constructor(address: string, channel: ChannelCredentials = credentials.createInsecure()) {
    this.#client = new Client(address, channel, {
      'grpc.max_send_message_length': -1,
      'grpc.use_local_subchannel_pool': 1,
    });
    this.stream = this.#client.makeBidiStreamRequest(
      '/megacollector.v1.Aggregator/Publish',
      (bytes: Buffer) => bytes,
      decodeResponse,
    );
    this.stream.on('error', () => {});
    this.status = new Promise((resolve) => this.stream.on('status', resolve));
    onTestFinished(() => this.#client.close());
  }

  /** Reads the answers; a peer that does not call this never reads. */
  read(): this {
    this.stream.on('data', ({ message }: PublishResponse) => {
      if (message !== undefined) this.responses.push(message);
    });
    return this;
  }

  send(message: Message<PublishRequest> | Buffer): this {
    this.stream.write(Buffer.isBuffer(message) ? message : encodeRequest({ message }));
    return this;
  }

  hello(collectorId: Buffer = Buffer.alloc(16, 1), protocolVersion = 1, instance = 1n): this {
    return this.send({
      $case: 'hello',
      value: { collectorId, instance, protocolVersion, software: 'raw', host: 'raw' },
    });
  }
}
