import { execFileSync } from 'node:child_process';
import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { expect, it, onTestFinished } from 'vitest';
import { KernelDrops } from '../../../../src/collector/sources/syslog/kernel-drops.ts';

it('counts exactly the messages that the kernel dropped', async () => {
  const socket = createSocket('udp4');
  onTestFinished(() => void socket.close());
  let received = 0;
  socket.on('message', () => received++);
  socket.bind(0, '127.0.0.1');
  await once(socket, 'listening');
  socket.setRecvBufferSize(4096);
  const { port } = socket.address();
  const drops = await KernelDrops.ofPort(port, false);
  expect(await drops?.taken()).toBe(0);
  // Another process sends while this one does not read.
  const script = `const s = require('dgram').createSocket('udp4'); let n = 0;
    for (let i = 0; i < 500; i++) s.send('x'.repeat(100), ${port}, '127.0.0.1', () => { if (++n === 500) s.close(); });`;
  execFileSync(process.execPath, ['-e', script]);
  for (let before = -1; before !== received; ) {
    before = received;
    for (let turn = 0; turn < 10; turn++) await new Promise((resolve) => setImmediate(resolve));
  }
  expect(received).toBeLessThan(500);
  expect(await drops?.taken()).toBe(500 - received);
  expect(await drops?.taken()).toBe(0);
});

it('is unknown for a port without a socket of this process', async () => {
  expect(await KernelDrops.ofPort(1, false)).toBeUndefined();
});
