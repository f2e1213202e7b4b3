import type { Server } from '@grpc/grpc-js';
import type { HealthImplementation } from 'grpc-health-check';
import { addLazyService, type LazyMethod } from './lazy-service.ts';

const METHODS: readonly LazyMethod[] = [
  { path: '/grpc.health.v1.Health/Check', requestStream: false, responseStream: false },
  { path: '/grpc.health.v1.Health/List', requestStream: false, responseStream: false },
  { path: '/grpc.health.v1.Health/Watch', requestStream: false, responseStream: true },
];

export type ServingStatus = 'SERVING' | 'NOT_SERVING';

/** The health service of gRPC. Its package is loaded at the first call. */
export class HealthService {
  readonly #statuses = new Map<string, ServingStatus>();
  #implementation: HealthImplementation | undefined;

  set(service: string, status: ServingStatus): void {
    this.#statuses.set(service, status);
    this.#implementation?.setStatus(service, status);
  }

  addTo(server: Server): void {
    addLazyService(server, METHODS, async () => {
      const { HealthImplementation } = await import('grpc-health-check');
      this.#implementation = new HealthImplementation(Object.fromEntries(this.#statuses));
      return this.#implementation;
    });
  }
}
