import { join } from 'node:path';
import type { Server } from '@grpc/grpc-js';
import { packageRoot } from '../../../runtime/package-root.ts';
import { addLazyService, type LazyMethod } from './lazy-service.ts';

const METHODS: readonly LazyMethod[] = ['v1', 'v1alpha'].map((version) => ({
  path: `/grpc.reflection.${version}.ServerReflection/ServerReflectionInfo`,
  requestStream: true,
  responseStream: true,
}));

/** Describes the protocol of the collectors to tools such as grpcurl. Its packages are loaded at the first call. */
export function addReflectionService(server: Server): void {
  addLazyService(server, METHODS, async () => {
    const [{ loadSync }, { ReflectionService }] = await Promise.all([
      import('@grpc/proto-loader'),
      import('@grpc/reflection'),
    ]);
    const includeDirs = [join(packageRoot(), 'proto')];
    return new ReflectionService(loadSync('megacollector/v1/aggregator.proto', { includeDirs }));
  });
}
