import { Client, credentials, status } from '@grpc/grpc-js';
import { expect, it, onTestFinished } from 'vitest';
import { startIntake } from '../../support/wire-pair.ts';

const bytes = (message: Buffer) => message;

async function clientOfIntake() {
  const intake = await startIntake();
  const client = new Client(intake.address, credentials.createInsecure());
  onTestFinished(() => client.close());
  return { ...intake, client };
}

function check(client: Client): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    client.makeUnaryRequest(
      '/grpc.health.v1.Health/Check',
      bytes,
      bytes,
      Buffer.alloc(0),
      (error, response) =>
        error === null && response !== undefined ? resolve(response) : reject(error ?? new Error('nothing')),
    );
  });
}

/** HealthCheckResponse { status = 1 } */
const SERVING = Buffer.of(0x08, 1);
const NOT_SERVING = Buffer.of(0x08, 2);

it('answers grpc.health.v1 with whether data is taken', async () => {
  const { client, store } = await clientOfIntake();
  expect(await check(client)).toEqual(SERVING);
  store.setStopped('queue is full');
  expect(await check(client)).toEqual(NOT_SERVING);
  store.setStopped(undefined);
  expect(await check(client)).toEqual(SERVING);
});

it('tells its services by reflection', async () => {
  const { client } = await clientOfIntake();
  const call = client.makeBidiStreamRequest(
    '/grpc.reflection.v1.ServerReflection/ServerReflectionInfo',
    bytes,
    bytes,
  );
  // ServerReflectionRequest { list_services = 7: "" }
  call.write(Buffer.of(0x3a, 0));
  const [answer] = await call.take(1).toArray();
  call.cancel();
  expect(String(answer)).toContain('megacollector.v1.Aggregator');
});

it('reports each change of the health to a watching client', async () => {
  const { client, store } = await clientOfIntake();
  const call = client.makeServerStreamRequest('/grpc.health.v1.Health/Watch', bytes, bytes, Buffer.alloc(0));
  call.on('error', () => {});
  const answers = call[Symbol.asyncIterator]();
  expect((await answers.next()).value).toEqual(SERVING);
  store.setStopped('queue is full');
  expect((await answers.next()).value).toEqual(NOT_SERVING);
  call.cancel();
});

it('answers reflection of the older version, and ends when the client ends', async () => {
  const { client } = await clientOfIntake();
  const path = '/grpc.reflection.v1alpha.ServerReflection/ServerReflectionInfo';
  const call = client.makeBidiStreamRequest(path, bytes, bytes);
  call.write(Buffer.of(0x3a, 0));
  call.end();
  const answers = await call.toArray();
  expect(answers).toHaveLength(1);
  expect(String(answers[0])).toContain('megacollector.v1.Aggregator');
});

it('rejects a request that cannot be decoded, and answers the next call', async () => {
  const { client } = await clientOfIntake();
  const broken = new Promise((resolve) => {
    client.makeUnaryRequest('/grpc.health.v1.Health/Check', bytes, bytes, Buffer.of(0x0f), resolve);
  });
  expect(await broken).toMatchObject({ code: status.INTERNAL });
  const path = '/grpc.reflection.v1.ServerReflection/ServerReflectionInfo';
  const call = client.makeBidiStreamRequest(path, bytes, bytes);
  call.write(Buffer.of(0x0f));
  await expect(call.toArray()).rejects.toMatchObject({ code: status.INTERNAL });
  expect(await check(client)).toEqual(SERVING);
});
