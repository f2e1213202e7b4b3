import { logVerbosity, setLogVerbosity } from '@grpc/grpc-js';

/** grpc-js writes lines of its own to stderr, between ours; what they say comes back as an error as well. */
export function silenceGrpcLog(): void {
  setLogVerbosity(logVerbosity.NONE);
}
