import { BinaryWriter } from '@bufbuild/protobuf/wire';
import type { GrpcServerCall, GrpcServerMethod } from '../../../protocols/grpc/grpc-server-method.ts';
import { GRPC_STATUS } from '../../../protocols/grpc/grpc-status.ts';
import { singleRequestMethod } from '../../../protocols/grpc/single-request-method.ts';
import { firstText, lengthTag, numberTag } from './proto-fields.ts';

export type ServingStatus = 'SERVING' | 'NOT_SERVING';

/** `grpc.health.v1.Health`: the states of the services, for load balancers and probes. */
export class HealthService {
  readonly #statuses = new Map<string, ServingStatus>();
  readonly #watches = new Set<Watch>();

  readonly methods: ReadonlyMap<string, GrpcServerMethod> = new Map([
    ['/grpc.health.v1.Health/Check', singleRequestMethod((request, call) => this.#check(request, call))],
    ['/grpc.health.v1.Health/List', singleRequestMethod((_, call) => this.#list(call))],
    ['/grpc.health.v1.Health/Watch', singleRequestMethod((request, call) => this.#watch(request, call))],
  ]);

  set(service: string, status: ServingStatus): void {
    if (this.#statuses.get(service) === status) return;
    this.#statuses.set(service, status);
    for (const watch of this.#watches) if (watch.service === service) watch.call.send(response(status));
  }

  /** The name of the service is the only field of a request. Empty: the whole server. */
  #check(request: Buffer, call: GrpcServerCall): undefined {
    const service = firstText(request);
    const status = this.#statuses.get(service);
    if (status === undefined)
      call.end({ code: GRPC_STATUS.notFound, message: `Cannot find the service "${service}".` });
    else answer(call, response(status));
  }

  #list(call: GrpcServerCall): undefined {
    const list = new BinaryWriter();
    for (const [service, status] of this.#statuses) {
      const entry = new BinaryWriter()
        .uint32(lengthTag(1))
        .string(service)
        .uint32(lengthTag(2))
        .bytes(response(status));
      list.uint32(lengthTag(1)).bytes(entry.finish());
    }
    answer(call, list.finish());
  }

  /** Sends the state at once, and each change. The call ends when the client cancels it. */
  #watch(request: Buffer, call: GrpcServerCall): () => void {
    const watch = { service: firstText(request), call };
    this.#watches.add(watch);
    call.send(response(this.#statuses.get(watch.service) ?? 'SERVICE_UNKNOWN'));
    return () => this.#watches.delete(watch);
  }
}

interface Watch {
  readonly service: string;
  readonly call: GrpcServerCall;
}

const STATUS_NUMBER = { SERVING: 1, NOT_SERVING: 2, SERVICE_UNKNOWN: 3 } as const;

function answer(call: GrpcServerCall, message: Uint8Array): undefined {
  call.send(message);
  call.end();
}

/** A `HealthCheckResponse`. */
function response(status: keyof typeof STATUS_NUMBER): Uint8Array {
  return new BinaryWriter().uint32(numberTag(1)).int32(STATUS_NUMBER[status]).finish();
}
