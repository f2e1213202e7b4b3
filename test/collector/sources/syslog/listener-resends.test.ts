import { describe, expect, it, onTestFinished } from 'vitest';
import {
  rememberRecovered,
  resendWindow,
} from '../../../../src/collector/sources/syslog/listener-resends.ts';
import { NO_MARKS, type RecordBatch } from '../../../../src/records/record-batch.ts';
import type { StreamId } from '../../../../src/records/stream-id.ts';
import { openStateStore } from '../../../../src/storage/state/state-store.ts';
import { temporaryDirectory } from '../../../support/temporary-directory.ts';
import { listenersOf } from './opened-source.ts';

const ORIGIN = 'relp://127.0.0.1:2514';

async function opened(listener: object) {
  const store = await openStateStore(`${await temporaryDirectory()}/state`);
  onTestFinished(() => store.close());
  const listeners = listenersOf([{ listen: ORIGIN, ...listener }]);
  const [configuration] = listeners;
  if (configuration === undefined) throw new Error('no listener');
  return { store, listeners, window: () => resendWindow(configuration, store) };
}

function entryOf(texts: readonly string[], address: string): RecordBatch {
  const lines = texts.map((text) => `${text}\n`);
  return {
    stream: '' as StreamId,
    start: 0,
    resource: new Map(),
    format: 'syslog',
    observedTimeUnixNano: 0n,
    sizes: Uint32Array.from(lines, (line) => line.length),
    marks: NO_MARKS,
    peers: [new Map([['network.peer.address', address]])],
    recordPeers: Uint32Array.from(texts, () => 1),
    data: Buffer.from(lines.join('')),
  };
}

describe('rememberRecovered', () => {
  it('drops a message that was recovered and is sent again', async () => {
    const { store, listeners, window } = await opened({ identity: 'json:id' });
    const entry = entryOf(['<13>{"id":1}', '<13>{"id":2}'], '10.0.0.1');
    await store.write(rememberRecovered(listeners, store)([{ origin: ORIGIN, entry }]));
    const track = window()?.track('10.0.0.1');
    expect(track?.check(Buffer.from('<13>{"id":1}')).kind).toBe('dropped');
    expect(track?.check(Buffer.from('<13>{"id":2}')).kind).toBe('dropped');
    expect(track?.check(Buffer.from('<13>{"id":3}')).kind).toBe('new');
    expect(window()?.track('10.0.0.2').check(Buffer.from('<13>{"id":1}')).kind).toBe('new');
  });

  it('marks a repetition of a recovered message without an identity', async () => {
    const { store, listeners, window } = await opened({});
    const entry = entryOf(['<13>one'], '10.0.0.1');
    await store.write(rememberRecovered(listeners, store)([{ origin: ORIGIN, entry }]));
    const track = window()?.track('10.0.0.1');
    expect(track?.check(Buffer.from('<13>one')).kind).toBe('repeated');
    expect(track?.check(Buffer.from('<13>two')).kind).toBe('new');
  });

  it('ignores entries of a listener that is not configured', async () => {
    const { store, listeners, window } = await opened({});
    const entry = entryOf(['<13>one'], '10.0.0.1');
    await store.write(rememberRecovered(listeners, store)([{ origin: 'relp://127.0.0.1:9', entry }]));
    expect(window()?.track('10.0.0.1').check(Buffer.from('<13>one')).kind).toBe('new');
  });
});
