import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Socket } from 'node:net';
import { expect, onTestFinished, test } from 'vitest';
import { UnreliableProxy, type Weather } from '../../bench/chaos/unreliable-proxy.ts';
import { Random } from '../../testkit/random.ts';

const SIMPLE_COMMIT = Buffer.from('Q\0\0\0\x0bcommit\0', 'latin1');

interface Scene {
  readonly proxy: UnreliableProxy;
  readonly client: Socket;
  /** What has come to either side. */
  readonly atServer: () => number;
  readonly atClient: () => number;
  readonly isBroken: () => boolean;
}

/** A server that answers as many bytes as it gets, and a client of it behind the proxy. */
async function scene(): Promise<Scene> {
  let atServer = 0;
  let atClient = 0;
  let isBroken = false;
  const server = createServer((socket) => {
    socket.on('error', () => {});
    socket.on('data', (bytes) => {
      atServer += bytes.length;
      socket.write(bytes);
    });
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  const proxy = await UnreliableProxy.start((server.address() as AddressInfo).port, new Random(1));
  const client = connect(proxy.port, '127.0.0.1');
  client.on('error', () => {});
  client.on('data', (bytes) => {
    atClient += bytes.length;
  });
  client.on('close', () => {
    isBroken = true;
  });
  await once(client, 'connect');
  onTestFinished(() => {
    client.destroy();
    proxy.stop();
    server.close();
  });
  return {
    ...{ proxy, client },
    atServer: () => atServer,
    atClient: () => atClient,
    isBroken: () => isBroken,
  };
}

test('in fair weather everything passes both ways', async () => {
  const { client, atServer, atClient } = await scene();
  client.write(Buffer.alloc(2_000_000));
  await expect.poll(atClient, { timeout: 10_000 }).toBe(2_000_000);
  expect(atServer()).toBe(2_000_000);
});

test('a connection is cut in the middle of what the client says', async () => {
  const { proxy, client, atServer, isBroken } = await scene();
  proxy.weather = 'cutting';
  client.write(Buffer.alloc(2_000_000));
  await expect.poll(isBroken, { timeout: 10_000 }).toBe(true);
  await expect.poll(atServer).toBeGreaterThan(0);
  expect(atServer()).toBeLessThan(2_000_000);
});

test('a COMMIT arrives, and its answer does not', async () => {
  const { proxy, client, atServer, atClient, isBroken } = await scene();
  proxy.weather = 'forgetful';
  client.write('something else');
  await expect.poll(atClient).toBe(14);
  client.write(SIMPLE_COMMIT);
  await expect.poll(isBroken, { timeout: 10_000 }).toBe(true);
  expect(atServer()).toBe(14 + SIMPLE_COMMIT.length);
  expect(atClient()).toBe(14);
});

test('a calm holds everything back until it is over', async () => {
  const { proxy, client, atServer, atClient } = await scene();
  client.write('before');
  await expect.poll(atClient).toBe(6);
  proxy.weather = 'becalmed' satisfies Weather;
  client.write('meanwhile');
  const other = connect(proxy.port, '127.0.0.1').on('error', () => {});
  onTestFinished(() => void other.destroy());
  await once(other, 'connect');
  other.write('also');
  // Somebody who came later has been let in, so the earlier bytes had every chance to pass.
  expect(atServer()).toBe(6);
  proxy.weather = 'fair';
  await expect.poll(atServer).toBe(6 + 9 + 4);
});
