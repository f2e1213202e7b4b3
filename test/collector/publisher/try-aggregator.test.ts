import { createServer } from 'node:http2';
import type { AddressInfo } from 'node:net';
import { Server, ServerCredentials } from '@grpc/grpc-js';
import { expect, it, onTestFinished } from 'vitest';
import { tryAggregator } from '../../../src/collector/publisher/try-aggregator.ts';
import { systemClock } from '../../../src/runtime/clock.ts';
import { parseAddress } from '../../../src/runtime/configuration/address.ts';
import type { TlsMaterial } from '../../../src/runtime/tls.ts';
import { CertificateAuthority } from '../../support/certificate-authority.ts';
import { inProcessPair } from '../../support/in-process-pair.ts';
import { temporaryDirectory } from '../../support/temporary-directory.ts';

const trialOf = (address: string, tls?: TlsMaterial) => {
  const endpoint = parseAddress(address);
  if (endpoint === undefined) throw new Error(`${address} is no address`);
  return tryAggregator(endpoint, { tls, clock: systemClock, signal: AbortSignal.timeout(20_000) });
};

async function runningAggregator(environment: Record<string, string> = {}): Promise<string> {
  const pair = await inProcessPair(await temporaryDirectory());
  await (await pair.createAggregator(environment)).start();
  return pair.collectorEnvironment.COLLECTOR_AGGREGATOR_ADDRESS ?? '';
}

it('succeeds with an aggregator that accepts records, over TLS too', async () => {
  const address = await runningAggregator();
  expect(await trialOf(address)).toEqual({ target: `the aggregator ${address}` });

  const authority = await CertificateAuthority.create();
  const server = await authority.issue({ name: 'localhost' });
  const encrypted = await runningAggregator({
    AGGREGATOR_TLS: '1',
    AGGREGATOR_TLS_CERTIFICATE: server.certificate,
    AGGREGATOR_TLS_KEY: server.key,
    AGGREGATOR_TLS_CA_CERTIFICATE: server.caCertificate,
  });
  expect(await trialOf(encrypted, await authority.issue({ name: 'collector' }))).toEqual({
    target: `the aggregator ${encrypted}`,
  });

  const { failure: withoutTls } = await trialOf(encrypted);
  expect(withoutTls).toMatchObject({
    reason: expect.stringContaining('it does not answer a gRPC request'),
    remedy: expect.stringContaining('COLLECTOR_TLS and AGGREGATOR_TLS agree'),
  });
  const stranger = await (await CertificateAuthority.create('Other')).issue({ name: 'collector' });
  const { failure: distrusted } = await trialOf(encrypted, stranger);
  expect(distrusted?.reason).toContain('is not trusted');
  expect(distrusted?.remedy).toContain('COLLECTOR_TLS_CA_CERTIFICATE');
  const { failure: unknown } = await trialOf(encrypted, {
    ...stranger,
    caCertificate: authority.certificate,
  });
  expect(unknown?.remedy).toContain('the aggregator trusts the authority');
});

it('fails with a gRPC server that is no aggregator', async () => {
  const server = new Server();
  onTestFinished(() => server.forceShutdown());
  const port = await new Promise<number>((resolve, reject) => {
    server.bindAsync('127.0.0.1:0', ServerCredentials.createInsecure(), (error, bound) =>
      error === null ? resolve(bound) : reject(error),
    );
  });
  const { failure } = await trialOf(`127.0.0.1:${port}`);
  expect(failure).toMatchObject({ reason: 'it is another gRPC server', remedy: expect.anything() });
});

it('fails with a server of another protocol', async () => {
  const server = createServer((_, response) => response.end('no gRPC'));
  server.listen(0, '127.0.0.1');
  onTestFinished(() => void server.close());
  await new Promise((resolve) => server.once('listening', resolve));
  const { failure } = await trialOf(`127.0.0.1:${(server.address() as AddressInfo).port}`);
  expect(failure).toMatchObject({ remedy: expect.stringContaining('the port for collectors') });
});
