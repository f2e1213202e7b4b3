import type { ServiceDefinition } from '@grpc/grpc-js';
import type { PublishResponse } from '../../../records/gen/megacollector/v1/aggregator.ts';
import {
  decodeRequest,
  decodeResponse,
  encodeRequest,
  encodeResponse,
  PUBLISH_PATH,
} from '../../../records/publish-codec.ts';

/** The generated service, with the hand-written codecs of the batches. */
export const publishService: ServiceDefinition = {
  publish: {
    path: PUBLISH_PATH,
    requestStream: true,
    responseStream: true,
    requestSerialize: encodeRequest,
    requestDeserialize: decodeRequest,
    responseSerialize: (response: PublishResponse) => encodeResponse(response),
    responseDeserialize: decodeResponse,
  },
};
