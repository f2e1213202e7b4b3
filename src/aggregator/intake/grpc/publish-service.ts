import type { ServiceDefinition } from '@grpc/grpc-js';
import { AggregatorService, type PublishResponse } from '../../../records/gen/megacollector/v1/aggregator.ts';
import {
  decodeRequest,
  decodeResponse,
  encodeRequest,
  encodeResponse,
} from '../../../records/publish-codec.ts';

/** The generated service, with the hand-written codecs of the batches. */
export const publishService: ServiceDefinition = {
  publish: {
    ...AggregatorService.publish,
    requestSerialize: encodeRequest,
    requestDeserialize: decodeRequest,
    responseSerialize: (response: PublishResponse) => encodeResponse(response),
    responseDeserialize: decodeResponse,
  },
};
