import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { setImmediate } from 'node:timers/promises';
import fc from 'fast-check';
import { describe, expect, it, onTestFinished, vi } from 'vitest';
import {
  SharedWindows,
  WINDOWS_BYTES,
  windowFor,
} from '../../../../src/aggregator/intake/grpc/shared-windows.ts';
import type { WindowShare } from '../../../../src/aggregator/intake/grpc/window-share.ts';
import { LocalSettings } from '../../../../src/protocols/http2/local-settings.ts';
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
    expect(windowFor(100_000)).toBeLessThan(1024);
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

/** A connection whose peer acknowledges settings when the test says so, and sends as much as it may. */
class FakeConnection {
  readonly share: WindowShare;
  readonly #local: LocalSettings;
  #sentSettings = 0;
  #isNew = true;
  heldBytes = 0;
  offered = 0;

  constructor(windows: SharedWindows, clock: FakeClock) {
    this.share = windows.open();
    this.#local = new LocalSettings({ clock, send: () => void this.#sentSettings++, timedOut() {} });
    this.offered = this.share.windowBytes;
    this.#local.begin(this.share.windowBytes, []);
    this.share.attach(this);
  }

  get permittedStreamBytes(): number {
    return this.#local.streamWindow.available;
  }

  setWindows(bytes: number): void {
    this.offered = Math.max(this.offered, bytes);
    this.#local.resize(bytes);
  }

  /** What the peer can make the aggregator hold. Before its first acknowledgement it knows no larger window than was offered. */
  get possibleBytes(): number {
    return Math.max(this.#isNew ? this.offered : this.permittedStreamBytes, this.heldBytes);
  }

  acknowledge(): void {
    if (this.#sentSettings === 0) return;
    this.#sentSettings--;
    this.#local.acknowledged();
    this.#isNew = false;
    this.share.acknowledged();
  }

  /** The peer sends all that it may, and the call is paused. */
  fill(): void {
    const bytes = this.possibleBytes - this.heldBytes;
    this.heldBytes += bytes;
    expect(this.share.hold(bytes)).toBe(true);
  }

  empty(): void {
    this.share.hold(-this.heldBytes);
    this.heldBytes = 0;
  }

  /** A message of some MiB is received. */
  use(): void {
    this.share.receives(1_000_000);
  }
}

describe('the windows of all connections', () => {
  const sumOf = (connections: Iterable<FakeConnection>) =>
    [...connections].reduce((sum, { possibleBytes }) => sum + possibleBytes, 0);

  it('never exceed their limit together, whatever the peers do', async () => {
    const actions = [
      'open',
      'open',
      'close',
      'acknowledge',
      'acknowledge',
      'fill',
      'empty',
      'use',
      'time',
    ] as const;
    const step = fc.tuple(fc.constantFrom(...actions), fc.nat(1_000), fc.integer({ min: 1, max: 60 }));
    await fc.assert(
      fc.asyncProperty(fc.array(step, { minLength: 20, maxLength: 150 }), async (steps) => {
        const clock = new FakeClock();
        const windows = new SharedWindows({ connections: 5_000, clock });
        const open = new Set<FakeConnection>();
        for (const [action, which, count] of steps) {
          const all = [...open];
          const chosen = Array.from({ length: count }, (_, i) => all[(which + i * 7) % all.length]);
          if (action === 'time') await clock.advance(10_000);
          if (action === 'open') for (let i = 0; i < count; i++) open.add(new FakeConnection(windows, clock));
          for (const connection of chosen) {
            if (connection === undefined || !open.has(connection)) continue;
            if (action === 'close') {
              connection.share.close();
              open.delete(connection);
            } else if (action !== 'time' && action !== 'open') connection[action]();
          }
          expect(sumOf(open)).toBeLessThanOrEqual(WINDOWS_BYTES);
        }
        windows.stop();
      }),
      { numRuns: 30 },
    );
  }, 60_000);

  it('do not exceed it with 5,000 connections that fill their windows while the queue is stopped', () => {
    const clock = new FakeClock();
    const windows = new SharedWindows({ connections: 5_000, clock });
    const connections: FakeConnection[] = [];
    for (let i = 0; i < 5_000; i++) {
      const connection = new FakeConnection(windows, clock);
      connections.push(connection);
      connection.acknowledge();
      connection.use();
      connection.acknowledge();
      connection.fill();
    }
    expect(sumOf(connections)).toBeLessThanOrEqual(WINDOWS_BYTES);
    expect(Math.min(...connections.map(({ share }) => share.windowBytes))).toBeGreaterThan(6 * 1024);
  });

  it('are wide for each of 5,000 connections when others have returned theirs', async () => {
    const clock = new FakeClock();
    const windows = new SharedWindows({ connections: 5_000, clock });
    const connections = Array.from({ length: 5_000 }, () => new FakeConnection(windows, clock));
    const hungry = new Set(connections);
    for (let round = 0; round < 40 && hungry.size > 0; round++) {
      for (const connection of hungry) connection.use();
      for (let settings = 0; settings < 20; settings++)
        for (const connection of connections) connection.acknowledge();
      for (const connection of hungry)
        if (connection.share.windowBytes >= 64 * 1024) hungry.delete(connection);
      expect(sumOf(connections)).toBeLessThanOrEqual(WINDOWS_BYTES);
      await clock.advance(10_000);
    }
    expect(hungry.size).toBe(0);
    windows.stop();
  });

  it('stay small for connections with small messages, and become wide with the first large one', async () => {
    const clock = new FakeClock();
    const windows = new SharedWindows({ connections: 65_536, clock });
    const connections = Array.from({ length: 1_000 }, () => new FakeConnection(windows, clock));
    for (let round = 0; round < 3; round++) {
      for (const connection of connections) {
        for (let settings = 0; settings < 20; settings++) connection.acknowledge();
        connection.share.receives(8 * 1024);
      }
      await clock.advance(10_000);
    }
    expect(connections.filter(({ share }) => share.windowBytes > 512)).toHaveLength(4);
    connections.at(-1)?.use();
    expect(connections.at(-1)?.share.windowBytes).toBeGreaterThan(MIB);
    windows.stop();
  });

  it('are no limit for a connection that is alone, also after many others', async () => {
    const clock = new FakeClock();
    const windows = new SharedWindows({ connections: 1_024, clock });
    const first = new FakeConnection(windows, clock);
    expect(first.share.windowBytes).toBe(8 * MIB);
    const others = Array.from({ length: 1_000 }, () => new FakeConnection(windows, clock));
    for (const other of others) other.share.close();
    for (let round = 0; round < 5; round++) {
      await clock.advance(10_000);
      for (let settings = 0; settings < 20; settings++) first.acknowledge();
    }
    expect(first.share.windowBytes).toBe(8 * MIB);
    windows.stop();
  });

  it('are exceeded by a peer that holds data on several calls', () => {
    const clock = new FakeClock();
    const windows = new SharedWindows({ connections: 1_024, clock });
    const connection = new FakeConnection(windows, clock);
    connection.acknowledge();
    expect(connection.share.hold(8 * MIB)).toBe(true);
    expect(connection.share.hold(1)).toBe(false);
  });
});
