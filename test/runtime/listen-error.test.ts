import { createServer } from 'node:net';
import { Server, ServerCredentials } from '@grpc/grpc-js';
import { afterEach, expect, onTestFinished, test, vi } from 'vitest';
import { listenError } from '../../src/runtime/listen-error.ts';
import { silenceGrpcLog } from '../../src/runtime/logging/silence-grpc-log.ts';

afterEach(() => vi.restoreAllMocks());

async function takenPort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  onTestFinished(() => void server.close());
  const address = server.address();
  if (typeof address !== 'object' || address === null) throw new Error('no address');
  return address.port;
}

test('reports a port in use in the same words for both kinds of server, without output of grpc-js', async () => {
  const address = `127.0.0.1:${await takenPort()}`;
  const said = vi.spyOn(console, 'error').mockImplementation(() => {});
  silenceGrpcLog();
  const ofGrpc = await new Promise<Error | null>((resolve) =>
    new Server().bindAsync(address, ServerCredentials.createInsecure(), resolve),
  );
  const ofNode = new Error(`listen EADDRINUSE: address already in use ${address}`);
  for (const cause of [ofGrpc ?? new Error('it could listen'), ofNode]) {
    expect(listenError({ purpose: 'collectors', address, variable: 'X_ADDRESS' }, cause).message).toBe(
      `Cannot listen at ${address} for collectors: another process is listening there (EADDRINUSE). Set X_ADDRESS to another address`,
    );
  }
  expect(said).not.toHaveBeenCalled();
});

test('reports an unknown error unchanged', () => {
  const { message } = listenError(
    { purpose: 'metrics', address: 'a:1' },
    new Error('getaddrinfo ENOTFOUND a'),
  );
  expect(message).toBe('Cannot listen at a:1 for metrics: getaddrinfo ENOTFOUND a');
});
