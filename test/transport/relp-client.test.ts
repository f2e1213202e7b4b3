import { expect, it } from 'vitest';
import { parseRelpAddress, relpTransport } from '../../src/transport/relp-address.ts';
import { RelpClient } from '../../src/transport/relp-client.ts';
import { RelpServer } from '../support/relp-server.ts';

it.each([
  ['relp://loghost:20514', { host: 'loghost', port: 20_514, hasTls: false }],
  ['relp://[::1]', { host: '::1', port: 2514, hasTls: false }],
  ['relps://loghost', { host: 'loghost', port: 2514, hasTls: true }],
  ['relp+tls://loghost:1', { host: 'loghost', port: 1, hasTls: true }],
  ['tcp://loghost:1', undefined],
  ['relp://', undefined],
  ['relp://loghost:0', undefined],
])('reads the address %s', (text, expected) => {
  expect(parseRelpAddress(text)).toEqual(expected);
});

it('continues on a new connection before the transaction numbers end', async () => {
  const server = await RelpServer.start();
  const address = { host: '127.0.0.1', port: server.port, hasTls: false };
  const transport = relpTransport(address, { connectTimeoutMs: 5000, writeTimeoutMs: 5000 });
  const client = new RelpClient(transport, { softwareVersion: '1', maxTxnr: 6 });
  const messages = Array.from({ length: 9 }, (_, index) => `m${index}`);
  const answers: string[] = [];
  const failure = await client.deliver(
    messages.map((text) => Buffer.from(text)).values(),
    (index, { code }) => void answers.push(`m${index} ${code}`),
  );
  expect(failure).toBeUndefined();
  expect(server.accepted).toEqual(messages);
  expect(answers).toEqual(messages.map((message) => `${message} 200`));
  const whole = ['1 open', '2 syslog', '3 syslog', '4 syslog', '5 syslog', '6 close'];
  expect(server.connections.map(({ commands }) => commands)).toEqual([whole, whole, ['1 open', '2 syslog']]);
  await client.close(AbortSignal.timeout(5000));
});
