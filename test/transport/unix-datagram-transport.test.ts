import { spawn } from 'node:child_process';
import { join } from 'node:path';
import { expect, it, onTestFinished } from 'vitest';
import { UnixDatagramTransport } from '../../src/transport/unix-datagram-transport.ts';
import { temporaryDirectory } from '../support/temporary-directory.ts';

/**
 * Prints the datagrams it receives, one line of hexadecimal digits each. In perl, because Node has no Unix datagram
 * sockets. `Socket` is in the base system, and the product sends with it, too.
 */
const RECEIVER = `
use strict; use Socket; $| = 1;
socket(my $socket, AF_UNIX, SOCK_DGRAM, 0) or die; bind($socket, sockaddr_un($ARGV[0])) or die; print "ready\\n";
if ($ARGV[1]) { sleep 60 }
while (defined recv($socket, my $packet, 300000, 0)) { print unpack('H*', $packet), "\\n" }
`;

async function receive(path: string, deaf = false): Promise<string[]> {
  const child = spawn('perl', ['-e', RECEIVER, path, deaf ? '1' : ''], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  onTestFinished(() => void child.kill('SIGKILL'));
  let text = '';
  const packets: string[] = [];
  child.stdout.on('data', (bytes) => {
    text += String(bytes);
    const lines = text.split('\n');
    text = lines.pop() ?? '';
    packets.push(...lines);
  });
  await expect.poll(() => packets).toEqual(['ready']);
  packets.length = 0;
  return packets;
}

function transportTo(path: string, sendTimeoutMs = 10_000): UnixDatagramTransport {
  const transport = new UnixDatagramTransport(path, { sendTimeoutMs });
  onTestFinished(() => transport.close());
  return transport;
}

it('sends packets whole, of any size the system takes', async () => {
  const path = join(await temporaryDirectory(), 's');
  const packets = await receive(path);
  const transport = transportTo(path);
  expect(await transport.send(Buffer.from('one\n'))).toBeUndefined();
  expect(await transport.send(Buffer.alloc(0))).toBeUndefined();
  expect(await transport.send(Buffer.alloc(100_000, 7))).toBeUndefined();
  await expect.poll(() => packets.map((hex) => hex.length / 2)).toEqual([4, 0, 100_000]);
  expect(packets[0]).toBe('6f6e650a');
  expect(await transport.send(Buffer.alloc(10_000_000))).toMatchObject({ code: 'EMSGSIZE' });
  expect(await transport.send(Buffer.from('after'))).toBeUndefined();
});

it('reports a missing receiver, and sends to one that starts later', async () => {
  const path = join(await temporaryDirectory(), 's');
  const transport = transportTo(path);
  expect(await transport.send(Buffer.from('x'))).toMatchObject({ code: 'ENOENT' });
  const packets = await receive(path);
  expect(await transport.send(Buffer.from('y'))).toBeUndefined();
  await expect.poll(() => packets).toEqual(['79']);
});

it('does not wait for a receiver that stops reading', async () => {
  const path = join(await temporaryDirectory(), 's');
  await receive(path, true);
  const transport = transportTo(path, 300);
  await expect
    .poll(() => transport.send(Buffer.alloc(1_000)))
    .toMatchObject({ reason: 'the receiver did not accept the packet within 300 ms' });
});

it('reports a missing perl or a path that is too long', async () => {
  const transport = new UnixDatagramTransport('/x', { perl: '/no/such/perl' });
  expect((await transport.send(Buffer.from('x')))?.reason).toBe(
    '/no/such/perl, which sends Unix datagrams for Node, could not be started',
  );
  expect(() => new UnixDatagramTransport(`/${'x'.repeat(107)}`)).toThrow(RangeError);
});
