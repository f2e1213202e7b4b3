import { expect, onTestFinished, test } from 'vitest';
import { GRPC_STATUS, type GrpcStatus } from '../../../../src/protocols/grpc/grpc-status.ts';
import { systemClock } from '../../../../src/runtime/clock.ts';
import { parseEndpoint } from '../../../../src/runtime/configuration/address.ts';
import { GrpcClient } from '../../../../src/transport/grpc/grpc-client.ts';
import { startIntake } from '../../../support/wire-pair.ts';

test.each([
  '/grpc.health.v1.Health/Check',
  '/grpc.health.v1.Health/Watch',
  '/grpc.reflection.v1.ServerReflection/ServerReflectionInfo',
])('does not hold a large request for %s', async (path) => {
  const { address } = await startIntake();
  const client = new GrpcClient({
    endpoint: parseEndpoint(address),
    tls: undefined,
    clock: systemClock,
    maxMessageBytes: 1_000_000,
    userAgent: 'test/1',
  });
  onTestFinished(() => client.close());
  const status = await new Promise<GrpcStatus | 'an answer'>((resolve) => {
    const call = client.call(path, { message: () => resolve('an answer'), closed: resolve });
    // The client does not end its side, so the server would hold the request.
    call.send([Buffer.alloc(5_000)]);
    setTimeout(() => call.cancel(), 5_000).unref();
  });
  expect(status).toMatchObject({ code: GRPC_STATUS.resourceExhausted });
});
