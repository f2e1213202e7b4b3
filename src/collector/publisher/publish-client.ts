import { type ChannelCredentials, Client, type ClientOptions, type MethodDefinition } from '@grpc/grpc-js';
import type { PublishResponse } from '../../records/gen/megacollector/v1/aggregator.ts';
import { LIMITS } from '../../records/limits.ts';
import {
  decodeResponse,
  encodeRequest,
  type OutgoingRequest,
  PUBLISH_PATH,
} from '../../records/publish-codec.ts';
import { GrpcPublishTransport } from './grpc-publish-transport.ts';
import type { PublishTransport } from './publish-transport.ts';

/** One address of an aggregator; opens Publish calls. The publisher reconnects, so a call fails at once. */
export class PublishClient {
  readonly #client: Client;

  constructor(address: string, credentials: ChannelCredentials) {
    const options: ClientOptions = {
      'grpc.max_receive_message_length': 1024 * 1024,
      'grpc.max_send_message_length': LIMITS.messageBytes,
      'grpc.keepalive_time_ms': KEEPALIVE_MS,
      'grpc.keepalive_timeout_ms': KEEPALIVE_MS,
      'grpc.keepalive_permit_without_calls': 0,
      'grpc.initial_reconnect_backoff_ms': 100,
      'grpc.max_reconnect_backoff_ms': 5_000,
      'grpc.enable_retries': 0,
      'grpc.enable_channelz': 0,
      'grpc.use_local_subchannel_pool': 1,
    };
    this.#client = new Client(address, credentials, options);
  }

  publish(): PublishTransport {
    return new GrpcPublishTransport(
      this.#client.makeBidiStreamRequest(method.path, method.requestSerialize, method.responseDeserialize, {
        deadline: Number.POSITIVE_INFINITY,
      }),
    );
  }

  close(): void {
    this.#client.close();
  }
}

const KEEPALIVE_MS = 10_000;

const method: MethodDefinition<OutgoingRequest, PublishResponse> = {
  path: PUBLISH_PATH,
  requestStream: true,
  responseStream: true,
  requestSerialize: encodeRequest,
  requestDeserialize: () => {
    throw new Error('a collector reads no requests');
  },
  responseSerialize: () => {
    throw new Error('a collector writes no responses');
  },
  responseDeserialize: decodeResponse,
};
