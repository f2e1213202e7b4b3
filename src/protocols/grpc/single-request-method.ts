import type { GrpcServerCall, GrpcServerMethod } from './grpc-server-method.ts';
import { GRPC_STATUS, type GrpcStatus } from './grpc-status.ts';

/**
 * A method with one request: unary, or with a stream of answers. `serve` ends the call; it returns a function that is called
 * when the call is over.
 */
export function singleRequestMethod(
  serve: (request: Buffer, call: GrpcServerCall) => (() => void) | undefined,
): GrpcServerMethod {
  return (call) => {
    let request: Buffer | undefined;
    let onOver: (() => void) | undefined;
    return {
      receive(message) {
        if (request !== undefined) call.end(MORE_THAN_ONE);
        request = message;
      },
      peerEnded() {
        if (request === undefined) call.end(NONE);
        else onOver = serve(request, call);
      },
      closed: () => onOver?.(),
    };
  };
}

const MORE_THAN_ONE: GrpcStatus = {
  code: GRPC_STATUS.unimplemented,
  message: 'the call has more than one request',
};
const NONE: GrpcStatus = { code: GRPC_STATUS.unimplemented, message: 'the call has no request' };
