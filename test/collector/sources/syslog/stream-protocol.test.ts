import { Registry } from 'prom-client';
import { describe, expect, it } from 'vitest';
import { SYSLOG_EVENTS } from '../../../../src/collector/sources/syslog/events.ts';
import { PeerAttributes } from '../../../../src/collector/sources/syslog/peer-attributes.ts';
import { ReceivedMessages } from '../../../../src/collector/sources/syslog/received-messages.ts';
import type { RecordChannel } from '../../../../src/collector/sources/syslog/record-channel.ts';
import { StreamProtocol } from '../../../../src/collector/sources/syslog/stream-protocol.ts';
import { capturedLogger } from '../../../support/captured-logger.ts';
import { FakeClock } from '../../../support/fake-clock.ts';

const KIB = 1024;
const MIB = KIB * KIB;
const LINE = `<13>${'x'.repeat(KIB - 5)}\n`;
/** 64 messages of 1023 bytes. */
const CHUNK = Buffer.from(LINE.repeat(64));

function opened({ room = Number.POSITIVE_INFINITY } = {}) {
  const channel = { flushed: 0, appended: 0, dropped: 0, commits: 0, held: 0 };
  const recordChannel: RecordChannel = {
    get flushed() {
      return channel.flushed;
    },
    append: (message) => {
      if (channel.appended + message.length > room) return 'full';
      channel.appended += message.length;
      return channel.appended;
    },
    appendLine: () => channel.appended,
    drop: () => void channel.dropped++,
    hasRoom: () => true,
    whenRoom: async () => true,
    flushSoon: () => void channel.commits++,
    flushHeld: () => void channel.held++,
    add: () => {},
    remove: () => {},
  };
  const { logger } = capturedLogger();
  const events = SYSLOG_EVENTS.open({ logger, metrics: new Registry(), clock: new FakeClock() });
  const attributes = new PeerAttributes({ transport: 'tcp', address: '10.0.0.1', zones: [] });
  const messages = new ReceivedMessages({
    channel: recordChannel,
    attributes,
    events,
    listener: 'tcp://:1',
    peer: '10.0.0.1:5',
  });
  return { channel, protocol: new StreamProtocol(messages, 'auto', 8 * KIB) };
}

describe('a syslog stream', () => {
  it('is read while the first 1 MiB is being written', () => {
    const { channel, protocol } = opened();
    while (channel.appended + CHUNK.length < MIB) protocol.push(CHUNK);
    expect(channel.commits).toBe(0);
    protocol.push(CHUNK);
    expect(channel.commits).toBe(1);
    expect(protocol.isFull).toBe(false);
  });

  it('is not read with 2 MiB that are not on disk, until a part of them is', () => {
    const { channel, protocol } = opened();
    const ends: number[] = [];
    while (!protocol.isFull) {
      protocol.push(CHUNK);
      ends.push(channel.appended);
    }
    expect(channel.appended).toBeGreaterThanOrEqual(2 * MIB);
    expect(channel.appended).toBeLessThan(2 * MIB + CHUNK.length);
    expect(channel.held).toBe(1);
    const [first = 0] = ends;
    protocol.flushed(first - 1);
    expect(protocol.isFull).toBe(true);
    protocol.flushed(first);
    expect(protocol.isFull).toBe(false);
  });

  it('is read when everything is on disk after a message had no room', () => {
    const { channel, protocol } = opened({ room: 100 * KIB });
    for (let chunk = 0; chunk < 20; chunk++) protocol.push(CHUNK);
    expect(channel.dropped).toBeGreaterThan(0);
    protocol.flushed(channel.appended);
    expect(protocol.isFull).toBe(false);
    expect(protocol.heldBytes).toBe(0);
  });
});
