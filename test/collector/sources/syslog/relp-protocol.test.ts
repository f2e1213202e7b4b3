import type { Socket } from 'node:net';
import { PassThrough } from 'node:stream';
import { Registry } from 'prom-client';
import { describe, expect, it } from 'vitest';
import { Connection } from '../../../../src/collector/sources/syslog/connection.ts';
import { SYSLOG_EVENTS } from '../../../../src/collector/sources/syslog/events.ts';
import { PeerAttributes } from '../../../../src/collector/sources/syslog/peer-attributes.ts';
import { ReceivedMessages } from '../../../../src/collector/sources/syslog/received-messages.ts';
import type {
  FlushedListener,
  RecordChannel,
} from '../../../../src/collector/sources/syslog/record-channel.ts';
import { RelpProtocol } from '../../../../src/collector/sources/syslog/relp-protocol.ts';
import { encodeRelpFrame } from '../../../../src/protocols/relp/frame-writer.ts';
import { capturedLogger } from '../../../support/captured-logger.ts';
import { FakeClock, settle } from '../../../support/fake-clock.ts';

const OPEN = encodeRelpFrame(1, 'open', 'relp_version=0\ncommands=syslog\n');

/** The journal's side: one position for each message, and a test decides when they are flushed. */
class CountingChannel implements RecordChannel {
  flushed = 0;
  appended = 0;
  readonly #listeners = new Set<FlushedListener>();

  append(): number {
    return ++this.appended;
  }

  appendLine(): number {
    return ++this.appended;
  }

  drop(): void {}
  hasRoom = () => true;
  whenRoom = async () => true;
  flushSoon(): void {}
  flushHeld(): void {}

  add(listener: FlushedListener): void {
    this.#listeners.add(listener);
  }

  remove(listener: FlushedListener): void {
    this.#listeners.delete(listener);
  }

  flush(end: number): void {
    this.flushed = end;
    for (const listener of this.#listeners) listener.onFlushed(end);
  }
}

/** A stream that a test feeds, with the parts of a socket that a connection uses. */
function fakeSocket() {
  let written = '';
  const socket = new PassThrough() as unknown as Socket & PassThrough;
  Object.assign(socket, { setKeepAlive: () => socket, setNoDelay: () => socket, setTimeout: () => socket });
  const receive = (bytes: Uint8Array) => void socket.emit('data', Buffer.from(bytes));
  socket.write = ((bytes: Uint8Array) => {
    written += Buffer.from(bytes).toString();
    return true;
  }) as Socket['write'];
  return { socket, receive, written: () => written };
}

function connected() {
  const { socket, receive, written } = fakeSocket();
  const channel = new CountingChannel();
  const clock = new FakeClock();
  const { logger, lines } = capturedLogger();
  const events = SYSLOG_EVENTS.open({ logger, metrics: new Registry(), clock });
  const common = { socket, channel, events, clock, listener: 'relp://:1', peer: '10.0.0.1:5' };
  const attributes = new PeerAttributes({ transport: 'tcp', address: '10.0.0.1', zones: [] });
  const protocol = new RelpProtocol({
    ...common,
    messages: new ReceivedMessages({ ...common, attributes }),
    track: undefined,
    keptBytes: 1024,
    softwareVersion: '1',
    close: () => connection.close(),
  });
  const connection: Connection = new Connection({ ...common, ended: () => {} }, protocol);
  return { channel, clock, socket, receive, written, lines };
}

describe('a RELP connection', () => {
  it('is closed 30 s after its beginning without an open, and named', async () => {
    const { clock, socket, lines } = connected();
    await clock.advance(29_999);
    expect(socket.destroyed).toBe(false);
    await clock.advance(1);
    expect(socket.destroyed).toBe(true);
    expect(lines).toContainEqual(
      expect.objectContaining({ msg: 'Closed a RELP connection: it sent no open' }),
    );
  });

  it('is not closed for silence after its open', async () => {
    const { clock, socket, receive } = connected();
    receive(OPEN);
    await clock.advance(24 * 60 * 60 * 1000);
    expect(socket.destroyed).toBe(false);
  });

  it('is closed 60 s after the last progress of its answers', async () => {
    const { channel, clock, socket, receive, written, lines } = connected();
    receive(OPEN);
    receive(encodeRelpFrame(2, 'syslog', 'one'));
    receive(encodeRelpFrame(3, 'syslog', 'two'));
    await clock.advance(50_000);
    channel.flush(1);
    expect(written()).toContain('2 rsp 6 200 OK\n');
    await clock.advance(59_999);
    expect(socket.destroyed).toBe(false);
    await clock.advance(1);
    expect(socket.destroyed).toBe(true);
    expect(written()).not.toContain('3 rsp');
    expect(lines).toContainEqual(expect.objectContaining({ messages: 1 }));
  });

  it('has at most 1,000 unanswered messages, also with the smallest frames', async () => {
    const { channel, receive, written } = connected();
    receive(OPEN);
    const frames = Array.from({ length: 5000 }, (_, i) => encodeRelpFrame(i + 2, 'syslog', 'x'));
    receive(Buffer.concat(frames));
    expect(channel.appended).toBe(1000);
    channel.flush(10);
    expect(channel.appended).toBe(1010);
    while (channel.flushed < 5000) {
      channel.flush(channel.appended);
      await settle();
    }
    expect(written().split('\n').at(-2)).toBe('5001 rsp 6 200 OK');
  });
});
