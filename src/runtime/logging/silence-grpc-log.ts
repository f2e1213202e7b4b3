import { logVerbosity, setLogVerbosity } from '@grpc/grpc-js';

/** grpc-js writes its own lines to stderr, between those of the log; it also reports them as errors. */
export function silenceGrpcLog(): void {
  setLogVerbosity(logVerbosity.NONE);
}
