import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { setImmediate } from 'node:timers/promises';
import { describe, expect, it, onTestFinished, vi } from 'vitest';
import { windowFor } from '../../../../src/aggregator/intake/grpc/receive-window.ts';
import { FakeClock } from '../../../support/fake-clock.ts';
import { MemoryStream } from '../../../support/memory-stream.ts';
import { TcpProxy } from '../../../support/tcp-proxy.ts';
import { startIntake, startPublisher } from '../../../support/wire-pair.ts';

const MIB = 1024 * 1024;
const until = <T>(check: () => T) => vi.waitFor(check, { timeout: 15_000, interval: 10 });

describe('receive windows', () => {
  it('let megabytes come in before the first answer leaves, so that distance costs no speed', async () => {
    const { address, store } = await startIntake();
    const proxy = await TcpProxy.start(address);
    const { publisher } = await startPublisher([proxy.address], { compression: 'none' });
    const stream = new MemoryStream();
    publisher.open(stream);
    await until(() => expect(stream.resumes).toHaveLength(1));

    proxy.holdAnswers();
    stream.append(`${'x'.repeat(199)}\n`.repeat(60_000));
    publisher.wake(stream.id);
    // With HTTP/2's default window it would be 64 KiB.
    await until(() => expect(proxy.forwardBytes).toBeGreaterThan(6 * MIB));
    await until(() => expect(store.bytesOf(stream.id).length).toBeGreaterThan(5 * MIB));

    proxy.releaseAnswers();
    await until(() => expect(stream.accepted).toBe(stream.bytes.length));
  });

  it('share a budget: many collectors get narrower ones', () => {
    expect(windowFor(1)).toBe(8 * MIB);
    expect(windowFor(4)).toBe(8 * MIB);
    expect(windowFor(16)).toBe(2 * MIB);
    expect(windowFor(100_000)).toBe(128 * 1024);
    for (const sessions of [1, 3, 10, 100, 250]) {
      expect(windowFor(sessions) * 3 * sessions).toBeLessThanOrEqual(96 * MIB);
    }
  });

  it('survive a connection that breaks while they are full', async () => {
    const { address, store } = await startIntake();
    const proxy = await TcpProxy.start(address);
    const { publisher } = await startPublisher([proxy.address]);
    const stream = new MemoryStream().append(`${'y'.repeat(99)}\n`.repeat(100_000));
    publisher.open(stream);
    await until(() => expect(stream.accepted).toBeGreaterThan(0));
    proxy.cut();
    await until(() => expect(stream.accepted).toBe(stream.bytes.length));
    expect(store.bytesOf(stream.id).equals(stream.bytes)).toBe(true);
  });
});

const PREFACE = Buffer.from('PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n');
const EMPTY_SETTINGS = Buffer.from([0, 0, 0, 4, 0, 0, 0, 0, 0]);

/** A connection that never acknowledges a change of the settings. */
async function unacknowledging(port: number): Promise<Socket> {
  const socket = connect(port, '127.0.0.1');
  onTestFinished(() => void socket.destroy());
  socket.on('error', () => {});
  socket.write(Buffer.concat([PREFACE, EMPTY_SETTINGS]));
  await once(socket, 'data');
  socket.resume();
  return socket;
}

it('closes a connection that acknowledges no settings, and serves the others', async () => {
  const clock = new FakeClock();
  const { intake, lines } = await startIntake({ clock });
  const silent = await unacknowledging(intake.port);
  await clock.advance(20_000);
  await until(() => expect(silent.closed).toBe(true));
  expect(lines.map(({ reason }) => reason)).toContain('the peer does not acknowledge the settings');
  const { publisher } = await startPublisher([`127.0.0.1:${intake.port}`]);
  const stream = new MemoryStream().append('honest\n');
  publisher.open(stream);
  await until(() => expect(stream.accepted).toBe(7));
});

it('get narrower while many collectors are connected, also when a peer acknowledges no settings', async () => {
  const { intake } = await startIntake();
  const silent = await unacknowledging(intake.port);
  for (let round = 0; round < 20; round++) {
    const others = await Promise.all(Array.from({ length: 8 }, () => unacknowledging(intake.port)));
    for (const other of others) other.destroy();
    await setImmediate();
  }
  silent.destroy();
  const { publisher } = await startPublisher([`127.0.0.1:${intake.port}`]);
  const stream = new MemoryStream().append('honest\n');
  publisher.open(stream);
  await until(() => expect(stream.accepted).toBe(7));
});
