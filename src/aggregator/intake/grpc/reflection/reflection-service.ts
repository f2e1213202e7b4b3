import { setImmediate as nextTurn } from 'node:timers/promises';
import type { GrpcServerCall, GrpcServerMethod } from '../../../../protocols/grpc/grpc-server-method.ts';
import { GRPC_STATUS } from '../../../../protocols/grpc/grpc-status.ts';

/** Describes the protocol of the collectors to tools such as grpcurl. The descriptor is loaded at the first call. */
export const REFLECTION_METHODS: ReadonlyMap<string, GrpcServerMethod> = new Map(
  ['v1', 'v1alpha'].map((version) => [
    `/grpc.reflection.${version}.ServerReflection/ServerReflectionInfo`,
    (call) => ({
      receive: (request) => void answer(request, call),
      drained: () => call.resume(),
      peerEnded: () => call.end(),
      closed: () => {},
    }),
  ]),
);

/** One request in a turn of the event loop, and none while the peer does not read. */
async function answer(request: Buffer, call: GrpcServerCall): Promise<void> {
  call.pause();
  try {
    const { answerReflection } = await import('./answer-reflection.ts');
    await nextTurn();
    if (call.send(answerReflection(request))) call.resume();
  } catch (error) {
    call.end({ code: GRPC_STATUS.internal, message: (error as Error).message });
  }
}
