import { once } from 'node:events';
import { connect } from 'node:net';
import { join } from 'node:path';
import { Registry } from 'prom-client';
import { describe, expect, onTestFinished, test, vi } from 'vitest';
import { packSchema } from '../../../../src/collector/packing/pack-rules.ts';
import { PackedChannel } from '../../../../src/collector/sources/syslog/packed-channel.ts';
import type {
  FlushedListener,
  RecordChannel,
} from '../../../../src/collector/sources/syslog/record-channel.ts';
import { syslogType } from '../../../../src/collector/sources/syslog/type.ts';
import type { Position } from '../../../../src/records/position.ts';
import type { Resource } from '../../../../src/records/resource.ts';
import { systemClock } from '../../../../src/runtime/clock.ts';
import { parseVariables } from '../../../../src/runtime/configuration/configuration.ts';
import { openStateStore } from '../../../../src/storage/state/state-store.ts';
import { capturedLogger } from '../../../support/captured-logger.ts';
import { FakeClock } from '../../../support/fake-clock.ts';
import { PullingSink, TakenBytes } from '../../../support/pulling-sink.ts';
import { temporaryDirectory } from '../../../support/temporary-directory.ts';

/** The journal's side of a channel: positions are bytes, and a test decides when they are flushed. */
class MemoryChannel implements RecordChannel {
  readonly texts: string[] = [];
  flushed: Position = 0;
  isFull = false;
  droppedBytes = 0;
  flushRequests = 0;
  #end = 0;
  readonly #listeners = new Set<FlushedListener>();

  append(message: Uint8Array, _peer: Resource): Position | 'full' {
    if (this.isFull) return 'full';
    this.texts.push(Buffer.from(message).toString());
    this.#end += message.length + 1;
    return this.#end;
  }

  appendLine(line: Uint8Array): Position | 'full' {
    return this.append(line.subarray(0, -1), new Map());
  }

  drop(bytes: number): void {
    this.droppedBytes += bytes;
  }

  hasRoom = () => !this.isFull;
  whenRoom = async () => !this.isFull;

  flushSoon(): void {
    this.flushRequests++;
  }

  flushHeld(): void {}

  add(listener: FlushedListener): void {
    this.#listeners.add(listener);
  }

  remove(listener: FlushedListener): void {
    this.#listeners.delete(listener);
  }

  flush(): void {
    this.flushed = this.#end;
    for (const listener of this.#listeners) listener.onFlushed(this.flushed);
  }
}

function prepared() {
  const channel = new MemoryChannel();
  const clock = new FakeClock();
  const rules = packSchema().parse([{ by: 'start', formats: ['ERROR'], key: ['network.peer.address'] }]);
  const packed = new PackedChannel({ channel, rules, format: 'plain', resource: new Map(), clock });
  const connected = (address: string, isAnswered = true) => {
    const connection = packed.connection({ isAnswered });
    const flushed: number[] = [];
    connection.add({ onFlushed: (end) => void flushed.push(end) });
    const peer = new Map([['network.peer.address', address]]);
    return { connection, flushed, send: (text: string) => connection.append(Buffer.from(text), peer) };
  };
  return { channel, clock, packed, connected };
}

describe('a member of a merged record', () => {
  test('is answered when the merged record is flushed, and not before', async () => {
    const { channel, clock, connected } = prepared();
    const { connection, send } = connected('10.0.0.1');
    const numbers = ['ERROR one', ' at a', ' at b'].map(send);
    channel.flush();
    expect([channel.texts, connection.flushed]).toEqual([[], 0]);
    await clock.advance(5_000);
    expect(channel.texts).toEqual(['ERROR one\n at a\n at b']);
    expect(connection.flushed).toBe(0);
    channel.flush();
    expect(connection.flushed).toBe(numbers.at(-1));
  });

  test('is not held while its client is idle and waits for the answer', async () => {
    const { channel, clock, connected } = prepared();
    const { send } = connected('10.0.0.1');
    send('ERROR one');
    await clock.advance(249);
    expect(channel.texts).toEqual([]);
    const requests = channel.flushRequests;
    await clock.advance(1);
    expect(channel.texts).toEqual(['ERROR one']);
    expect(channel.flushRequests).toBeGreaterThan(requests);
  });

  test('is held for its age when its peer waits for nothing', async () => {
    const { channel, clock, connected } = prepared();
    const { send } = connected('10.0.0.1', false);
    send('ERROR one');
    await clock.advance(4_999);
    expect(channel.texts).toEqual([]);
    await clock.advance(1);
    expect(channel.texts).toEqual(['ERROR one']);
  });

  test('waits for earlier messages of its connection, and not for those of others', () => {
    const { channel, connected } = prepared();
    const one = connected('10.0.0.1');
    const other = connected('10.0.0.2');
    one.send('ERROR held');
    other.send('no start');
    other.send('no start either');
    channel.flush();
    expect([one.connection.flushed, other.connection.flushed]).toEqual([0, 2]);
    expect(other.flushed).toEqual([2]);
  });

  test('is never answered when the journal has no room for the merged record', () => {
    const { channel, packed, connected } = prepared();
    const { connection, send } = connected('10.0.0.1');
    send('ERROR one');
    channel.isFull = true;
    packed.flush();
    channel.isFull = false;
    send('no start');
    channel.flush();
    expect(connection.flushed).toBe(0);
    expect(channel.droppedBytes).toBe('ERROR one\n'.length);
  });
});

test('records are held no longer when the listener ends', () => {
  const { channel, packed, connected } = prepared();
  const { send } = connected('10.0.0.1');
  send('ERROR one');
  packed.end();
  send('ERROR two');
  expect(channel.texts).toEqual(['ERROR one', 'ERROR two']);
});

test('the buffer of a message may be used again', () => {
  const { channel, packed, connected } = prepared();
  const { connection } = connected('10.0.0.1');
  const buffer = Buffer.from('ERROR one');
  connection.append(buffer, new Map());
  buffer.fill('x');
  packed.flush();
  expect(channel.texts).toEqual(['ERROR one']);
});

describe('a listener with pack', () => {
  async function listening(scheme: string, more: object = {}) {
    const directory = await temporaryDirectory();
    const path = join(directory, 'syslog.sock');
    const rules = [{ by: 'start', formats: ['ERROR $WORD'], key: [], max_age: '200ms', ...more }];
    const listen = scheme === 'unix' ? `unix://${path}` : `${scheme}://127.0.0.1:0`;
    const environment = { COLLECTOR_SYSLOG_CONFIGURATION: JSON.stringify([{ listen, pack: rules }]) };
    const { values, problems } = parseVariables(syslogType.variables, environment);
    expect(problems).toEqual([]);
    const { configuration } = syslogType.parse(values, { once: false, otherSources: [] });
    if (configuration === undefined) throw new Error('not configured');
    const store = await openStateStore(join(directory, 'state'));
    const { logger, lines } = capturedLogger();
    const source = await syslogType.open(configuration, {
      ...{ stateDirectory: directory, store, resource: new Map(), clock: systemClock, logger },
      ...{ metrics: new Registry(), once: false },
    });
    const taken = new TakenBytes();
    await source.start(new PullingSink({ taken }));
    onTestFinished(async () => {
      await source.stop(AbortSignal.timeout(10_000));
      await source.close(AbortSignal.timeout(10_000));
      await store.close();
    });
    const listenedAt = lines.map(({ address }) => address).find((each) => typeof each === 'string');
    const port = Number(typeof listenedAt === 'string' ? listenedAt.split(':').at(-1) : 0);
    const socket = connect(scheme === 'unix' ? { path } : { host: '127.0.0.1', port });
    onTestFinished(() => void socket.destroy());
    await once(socket, 'connect');
    let received = '';
    socket.on('data', (chunk: Buffer) => {
      received += chunk.toString();
    });
    const sizes = () => taken.batches.flatMap((batch) => [...batch.sizes]);
    return { socket, taken, sizes, received: () => received };
  }

  test('stores one record for the lines of a message over a stream', async () => {
    const { socket, taken, sizes } = await listening('unix');
    socket.write('<14>ERROR one\n<14>at a\n<10>at b\n<14>ERROR two\n');
    const merged = '<10>ERROR one\nat a\nat b\n';
    await vi.waitFor(() => expect(taken.text()).toBe(`${merged}<14>ERROR two\n`), { timeout: 10_000 });
    expect(sizes()).toEqual([merged.length, '<14>ERROR two\n'.length]);
  });

  test('answers all messages of a merged record over RELP', async () => {
    const { socket, taken, received } = await listening('relp');
    const frame = (number: number, command: string, data: string) =>
      `${number} ${command} ${data.length} ${data}\n`;
    socket.write(frame(1, 'open', 'relp_version=0\nrelp_software=test\ncommands=syslog'));
    socket.write(frame(2, 'syslog', '<14>ERROR one') + frame(3, 'syslog', '<14>at a'));
    await vi.waitFor(() => expect(received()).toContain('3 rsp'), { timeout: 10_000 });
    expect(received()).toContain('2 rsp 6 200 OK\n3 rsp 6 200 OK\n');
    await vi.waitFor(() => expect(taken.text()).toBe('<14>ERROR one\nat a\n'), { timeout: 10_000 });
  });

  test('merges only records that match the condition', async () => {
    const { socket, taken } = await listening('unix', { if: 'service = app and severity >= error' });
    const lines = ['<11>Oct 11 22:14:15 h app: ERROR one', '<11>Oct 11 22:14:15 h app: at a'];
    const others = ['<14>Oct 11 22:14:15 h app: ERROR x', '<11>Oct 11 22:14:15 h other: ERROR y'];
    socket.write(`${[...others, 'at z', ...lines].join('\n')}\n`);
    await vi.waitFor(() => expect(taken.text()).toContain('ERROR one\nat a'), { timeout: 10_000 });
    expect(taken.text()).toContain(`${others.join('\n')}\nat z\n`);
  });
});
