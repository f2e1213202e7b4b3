import { fileURLToPath } from 'node:url';
import {
  type ClientDuplexStream,
  credentials,
  loadPackageDefinition,
  type ServiceClientConstructor,
  type StatusObject,
} from '@grpc/grpc-js';
import { loadSync } from '@grpc/proto-loader';
import { expect, onTestFinished, test } from 'vitest';
import { startIntake } from '../../../support/wire-pair.ts';

const PROTO = fileURLToPath(new URL('../../../../proto/megacollector/v1/aggregator.proto', import.meta.url));
const HELLO = {
  hello: { collector_id: Buffer.alloc(16, 7), instance: '1', protocol_version: 1, software: 'other/1' },
};

/** A Publish call of another implementation of gRPC, which reads the .proto file at its start. */
function foreignCall(address: string): ClientDuplexStream<object, object> {
  const loaded = loadPackageDefinition(loadSync(PROTO, { keepCase: true, longs: String }));
  const { v1 } = loaded.megacollector as unknown as { v1: { Aggregator: ServiceClientConstructor } };
  const client = new v1.Aggregator(address, credentials.createInsecure());
  onTestFinished(() => client.close());
  const call = client.Publish?.() as ClientDuplexStream<object, object>;
  // The end of the server is an error of the call.
  return call.on('error', () => {});
}

test('a client that reads the .proto file at its start is welcomed', async () => {
  const { address } = await startIntake();
  const call = foreignCall(address);
  call.write(HELLO);
  const answer = await new Promise((resolve) => call.once('data', resolve));
  expect(answer).toMatchObject({ welcome: { software: 'test/1' } });
});

test('a client that sends no greeting first receives the status of its fault', async () => {
  const { address } = await startIntake();
  const call = foreignCall(address);
  const ended = new Promise<StatusObject>((resolve) => call.once('status', resolve));
  call.write({ final_stream: { stream_id: Buffer.alloc(16, 1) } });
  expect(await ended).toMatchObject({ code: 3 });
});
