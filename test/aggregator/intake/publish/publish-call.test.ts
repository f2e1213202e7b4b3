import { setImmediate } from 'node:timers/promises';
import { Registry } from 'prom-client';
import { describe, expect, it } from 'vitest';
import { CollectorRegister } from '../../../../src/aggregator/intake/activity/collector-register.ts';
import { BatchAcceptor } from '../../../../src/aggregator/intake/batch-acceptor.ts';
import { INTAKE_EVENTS } from '../../../../src/aggregator/intake/events.ts';
import { PUBLISH_LIMITS, PublishCalls } from '../../../../src/aggregator/intake/publish/publish-calls.ts';
import { REQUESTS_PER_TURN } from '../../../../src/aggregator/intake/publish/request-gate.ts';
import { checkOf } from '../../../../src/records/check.ts';
import { LIMITS } from '../../../../src/records/limits.ts';
import { encodeBatchRequest, encodeRequest } from '../../../../src/records/publish-codec.ts';
import type { RecordBatch } from '../../../../src/records/record-batch.ts';
import { mintStreamId, type StreamId, streamIdToBytes } from '../../../../src/records/stream-id.ts';
import { QueueError } from '../../../../src/storage/queue/queue-contract.ts';
import { capturedLogger } from '../../../support/captured-logger.ts';
import { FakeClock, settle } from '../../../support/fake-clock.ts';
import { MemoryPublishTransport } from '../../../support/memory-publish-transport.ts';
import { MemoryStore } from '../../../support/memory-store.ts';
import { recordBatch } from '../../../support/record-batches.ts';

const MIB = 1024 * 1024;

function hello(id = 1, protocolVersion = 1, more: { readonly explains?: boolean } = {}): Buffer {
  const names = { software: '', host: '', ...more };
  const value = { collectorId: Buffer.alloc(16, id), instance: 1n, protocolVersion, ...names };
  return encodeRequest({ message: { $case: 'hello', value } });
}

const open = (stream: StreamId = mintStreamId()) =>
  encodeRequest({
    message: { $case: 'openStream', value: { stream: streamIdToBytes(stream), accepted: 0n } },
  });

const final = (stream: StreamId = mintStreamId()) =>
  encodeRequest({ message: { $case: 'finalStream', value: { stream: streamIdToBytes(stream), end: 0n } } });

const encoded = (sequence: number, batch: RecordBatch) =>
  encodeBatchRequest({
    sequence,
    endCheck: checkOf(batch.data),
    batch,
    data: { compression: 'none', bytes: batch.data },
  });

/** Batches of 1 MiB, one after the other, of one stream. */
function largeBatches(count: number, stream = mintStreamId()): readonly RecordBatch[] {
  const records = Array.from({ length: 4 }, () => `${'x'.repeat(MIB / 4 - 1)}\n`);
  return Array.from({ length: count }, (_, i) => recordBatch(records, { stream, start: i * MIB }));
}

interface CallsOptions {
  readonly unansweredBytes?: number;
  readonly messagesBytes?: number;
  readonly whenDelivered?: () => Promise<void>;
}

function publishCalls({
  unansweredBytes = 16 * MIB,
  messagesBytes = PUBLISH_LIMITS.messagesBytes,
  whenDelivered,
}: CallsOptions = {}) {
  const store = new MemoryStore();
  let release = () => {};
  const { logger, lines } = capturedLogger();
  const metrics = new Registry();
  const clock = new FakeClock();
  const events = INTAKE_EVENTS.open({ logger, metrics, clock });
  const batches = new BatchAcceptor(store, events, { unansweredBytes, whenDelivered });
  const collectors = new CollectorRegister(clock);
  const context = {
    queue: store,
    ledger: store,
    batches,
    collectors,
    events,
    software: 'test/1',
    clock,
    logger,
    metrics,
  };
  const calls = new PublishCalls(context, { ...PUBLISH_LIMITS, messagesBytes });
  calls.start();
  return {
    store,
    calls,
    collectors,
    clock,
    lines,
    /** Appends wait until `release`. */
    hold: () => {
      store.gate = new Promise((resolve) => {
        release = resolve;
      });
    },
    release: () => release(),
    connect: () => {
      const transport = new MemoryPublishTransport();
      transport.deliverTo(calls.accept(transport));
      return transport;
    },
  };
}

const casesOf = ({ answers }: MemoryPublishTransport) => answers.map(({ $case }) => $case);

describe('a Publish call', () => {
  it('processes at most 256 messages in one turn of the event loop', async () => {
    const { connect } = publishCalls();
    const transport = connect();
    transport.request(hello());
    await setImmediate();
    transport.request(...Array.from({ length: 1_000 }, () => final()));
    // The next message is read and held.
    expect(1_000 - transport.unread).toBe(REQUESTS_PER_TURN + 1);
    await settle();
    expect(transport.unread).toBe(0);
  });

  it('stops reading at 8 MiB without an answer, and reads on after a commit', async () => {
    const { connect, store, hold, release } = publishCalls();
    hold();
    const transport = connect();
    const batches = largeBatches(12);
    transport.request(hello(), open(batches[0]?.stream));
    transport.request(...batches.map((batch, i) => encoded(i + 1, batch)));
    await settle();
    expect(batches.length - transport.unread).toBe(LIMITS.unansweredBytes / MIB);
    release();
    await settle();
    expect(transport.unread).toBe(0);
    expect(store.batches).toHaveLength(12);
  });

  it('stops reading when all calls together have too many bytes without an answer', async () => {
    const { connect, hold, release, store } = publishCalls({ unansweredBytes: 3 * MIB });
    hold();
    const transports = [1, 2].map((id) => {
      const transport = connect();
      const batches = largeBatches(4);
      transport.request(hello(id), open(batches[0]?.stream));
      transport.request(...batches.map((batch, i) => encoded(i + 1, batch)));
      return transport;
    });
    await settle();
    // The first call has used the budget. The messages that must wait are not read.
    expect(transports.map(({ unread }) => unread)).toEqual([1, 4]);
    release();
    await settle();
    expect(transports.map(({ unread }) => unread)).toEqual([0, 0]);
    expect(store.batches).toHaveLength(8);
  });

  it('stops reading while its peer does not read the answers', async () => {
    const { connect } = publishCalls();
    const transport = connect();
    transport.isReading = false;
    transport.request(hello(), open(), open(), open());
    await settle();
    expect(casesOf(transport)).toEqual(['welcome']);
    expect(transport.unread).toBe(2);
    transport.drain();
    await settle();
    expect(casesOf(transport)).toEqual(['welcome', 'streamOpened', 'streamOpened', 'streamOpened']);
  });

  it('ends after a minute in which its peer does not read the answers, so that its memory is free for others', async () => {
    const { connect, clock, store } = publishCalls({ messagesBytes: MIB });
    const [unreading, honest] = [connect(), connect()];
    const [first, second] = [...largeBatches(1), ...largeBatches(1)];
    unreading.request(hello(1), open(first?.stream));
    unreading.isReading = false;
    if (first !== undefined) unreading.request(open(), encoded(1, first));
    honest.request(hello(2), open(second?.stream));
    if (second !== undefined) honest.request(encoded(1, second));
    await settle();
    expect([unreading.unread, honest.unread]).toEqual([0, 1]);
    await clock.advance(60_000);
    await settle();
    expect(store.batches.map(({ stream }) => stream)).toEqual([second?.stream]);
    expect(await unreading.ended).toMatchObject({ failure: 'unavailable' });
  });

  it('does not end for answers that its peer reads late', async () => {
    const { connect, clock } = publishCalls();
    const transport = connect();
    transport.isReading = false;
    transport.request(hello());
    await clock.advance(50_000);
    transport.drain();
    await clock.advance(50_000);
    transport.request(open());
    await settle();
    expect(casesOf(transport)).toEqual(['welcome', 'streamOpened']);
  });

  it('reports at intervals that the queue is stopped', async () => {
    const { connect, store, clock } = publishCalls();
    const transport = connect();
    transport.request(hello());
    store.setStopped('queue is full');
    await clock.advance(20_000);
    expect(casesOf(transport)).toEqual(['welcome', 'busy', 'busy', 'busy']);
    store.setStopped(undefined);
    await clock.advance(20_000);
    expect(casesOf(transport)).toHaveLength(4);
  });

  it('answers all batches of one commit in one message', async () => {
    const { connect, hold, release } = publishCalls();
    hold();
    const transport = connect();
    const batches = largeBatches(3);
    transport.request(hello(), open(batches[0]?.stream));
    transport.request(...batches.map((batch, i) => encoded(i + 1, batch)));
    release();
    await settle();
    expect(transport.answers.at(-1)).toEqual({ $case: 'accepted', value: { sequences: [1n, 2n, 3n] } });
  });

  it('ends after the last answer when its peer has ended its side', async () => {
    const { connect, hold, release } = publishCalls();
    hold();
    const transport = connect();
    const batch = recordBatch(['one\n']);
    transport.request(hello(), open(batch.stream), encoded(1, batch));
    transport.peerEnds();
    release();
    expect(await transport.ended).toEqual({ failure: undefined, reason: 'ended' });
    expect(transport.answers.at(-1)).toMatchObject({ $case: 'accepted' });
  });

  it('ends when its peer ended its side while the last message was held', async () => {
    const { connect } = publishCalls();
    const transport = connect();
    transport.request(hello(), ...Array.from({ length: REQUESTS_PER_TURN }, () => final()));
    expect(transport.unread).toBe(0);
    transport.peerEnds();
    expect((await transport.ended).failure).toBeUndefined();
  });

  it('releases its streams and its collector when the connection breaks', async () => {
    const { connect, lines } = publishCalls();
    const transport = connect();
    transport.request(hello(), open());
    transport.disconnect();
    await settle();
    expect(lines.at(-1)).toMatchObject({ msg: 'A collector has disconnected', reason: 'connection reset' });
    const again = connect();
    again.request(hello(), open());
    await settle();
    expect(casesOf(again)).toEqual(['welcome', 'streamOpened']);
  });
});

describe('a Publish call that acknowledges after delivery', () => {
  function deliveries() {
    const waiting: (() => void)[] = [];
    return {
      whenDelivered: () => new Promise<void>((resolve) => waiting.push(resolve)),
      deliver: async () => {
        for (const resolve of waiting.splice(0)) resolve();
        await settle();
      },
    };
  }

  it('answers a stored batch when it is delivered', async () => {
    const { whenDelivered, deliver } = deliveries();
    const { connect, store } = publishCalls({ whenDelivered });
    const transport = connect();
    const batch = recordBatch(['one\n']);
    transport.request(hello(), open(batch.stream));
    await settle();
    await deliver();
    transport.request(encoded(1, batch));
    await settle();
    expect(store.batches).toHaveLength(1);
    expect(casesOf(transport)).toEqual(['welcome', 'streamOpened']);
    await deliver();
    expect(casesOf(transport)).toEqual(['welcome', 'streamOpened', 'accepted']);
  });

  it('opens a stream when everything that the ledger has of it is delivered', async () => {
    const { whenDelivered, deliver } = deliveries();
    const { connect } = publishCalls({ whenDelivered });
    const transport = connect();
    transport.request(hello(), open());
    await settle();
    expect(casesOf(transport)).toEqual(['welcome']);
    await deliver();
    expect(casesOf(transport)).toEqual(['welcome', 'streamOpened']);
  });

  it('stops reading at 8 MiB that are stored and not delivered, of each call', async () => {
    const { whenDelivered, deliver } = deliveries();
    const { connect, store } = publishCalls({ whenDelivered, unansweredBytes: 2 * MIB });
    const transports = [1, 2].map((id) => {
      const transport = connect();
      transport.request(hello(id));
      return { transport, batches: largeBatches(12) };
    });
    for (const { transport, batches } of transports) transport.request(open(batches[0]?.stream));
    await settle();
    await deliver();
    for (const { transport, batches } of transports)
      transport.request(...batches.map((batch, i) => encoded(i + 1, batch)));
    await settle();
    expect(store.batches).toHaveLength(16);
    await deliver();
    await deliver();
    expect(store.batches).toHaveLength(24);
  });

  it('ends when the queue closes before the delivery', async () => {
    const whenDelivered = () => Promise.reject(new QueueError('The queue is closed'));
    const { connect } = publishCalls({ whenDelivered });
    const transport = connect();
    transport.request(hello(), open());
    await settle();
    expect(casesOf(transport)).toEqual(['welcome']);
  });
});

describe('a Publish call ends with a reason', () => {
  it.each<[string, readonly Buffer[], string, string]>([
    ['no hello comes first', [open()], 'protocol-broken', 'the first message must be a hello'],
    ['a second hello comes', [hello(), hello()], 'protocol-broken', 'a second hello message'],
    [
      'the version differs',
      [hello(1, 2)],
      'wrong-version',
      'the aggregator has protocol version 1, the collector 2',
    ],
    [
      'a batch is missing',
      [hello(), encoded(2, recordBatch(['x\n']))],
      'protocol-broken',
      'batch 2 follows batch 0',
    ],
    [
      'bytes are not protobuf',
      [Buffer.from([0xff, 0xff, 0xff])],
      'protocol-broken',
      'the message is not protobuf',
    ],
  ])('when %s', async (_, requests, failure, reason) => {
    const { connect, store } = publishCalls();
    const transport = connect();
    transport.request(...requests);
    expect(await transport.ended).toEqual({ failure, reason });
    expect(store.batches).toHaveLength(0);
  });

  it('when no hello comes within ten seconds', async () => {
    const { connect, clock } = publishCalls();
    const transport = connect();
    await clock.advance(10_000);
    expect(await transport.ended).toMatchObject({ failure: 'no-hello' });
  });

  it('when all that it sends is refused', async () => {
    const { connect } = publishCalls();
    const transport = connect();
    transport.request(hello(), ...Array.from({ length: 20_000 }, () => final()));
    expect(await transport.ended).toMatchObject({ failure: 'too-many-refusals' });
  });
});

describe('the collector of a call', () => {
  const report = encodeRequest({
    message: {
      $case: 'statusReport',
      value: {
        lagBytes: 7n,
        queuedBytes: 5n,
        lostBytes: 0n,
        streams: 2,
        listeners: [],
        omittedListeners: 0,
        problems: ['the disk is full'],
      },
    },
  });

  it('is asked about a file if its hello announces that, and answers on the call', async () => {
    const { connect, collectors } = publishCalls();
    const transport = connect();
    transport.request(hello(1, 1, { explains: true }));
    const [collector] = collectors.list();
    const result = collectors.explain(collector?.id ?? '', '/a.log');
    expect(transport.answers.at(-1)).toEqual({ $case: 'explain', value: { id: 1, subject: '/a.log' } });
    const value = { id: 1, json: '{}', refusal: '' };
    transport.request(encodeRequest({ message: { $case: 'explanation', value } }));
    expect(await result).toEqual({ kind: 'explained', json: '{}' });
    const later = collectors.explain(collector?.id ?? '', '/b.log');
    transport.disconnect();
    expect(await later).toEqual({ kind: 'disconnected' });
  });

  it('is never asked if its hello does not announce it', async () => {
    const { connect, collectors } = publishCalls();
    const transport = connect();
    transport.request(hello());
    const [collector] = collectors.list();
    expect(collector).toMatchObject({ explains: 'unsupported' });
    expect(await collectors.explain(collector?.id ?? '', '/a.log')).toMatchObject({ kind: 'refused' });
    expect(transport.answers.map(({ $case }) => $case)).toEqual(['welcome']);
  });

  it('is known with its report until another one arrives', async () => {
    const { connect, collectors, clock } = publishCalls();
    const transport = connect();
    await settle();
    expect(collectors.list()).toEqual([]);
    transport.request(hello());
    await settle();
    expect(transport.answers).toMatchObject([{ $case: 'welcome', value: { statusReports: true } }]);
    expect(collectors.connected).toBe(1);
    await clock.advance(5_000);
    transport.request(report);
    await settle();
    expect(collectors.list()).toMatchObject([
      {
        isConnected: true,
        lastSeenUnixNano: clock.nowUnixNano(),
        report: { lagBytes: 7n, streams: 2, problems: ['the disk is full'] },
      },
    ]);
    transport.disconnect();
    expect(collectors.list()).toMatchObject([{ isConnected: false, report: { lagBytes: 7n } }]);
  });

  it('of version 0.1.0 is known without a report', async () => {
    const { connect, collectors } = publishCalls();
    const transport = connect();
    const [batch] = largeBatches(1);
    if (batch === undefined) throw new Error('no batch');
    transport.request(hello(), open(batch.stream), encoded(1, batch));
    await settle();
    expect(casesOf(transport)).toContain('accepted');
    expect(collectors.list()).toMatchObject([{ isConnected: true, report: undefined }]);
  });

  it('may not report before its hello', async () => {
    const { connect, collectors } = publishCalls();
    const transport = connect();
    transport.request(report);
    await settle();
    expect(await transport.ended).toMatchObject({ reason: 'the first message must be a hello' });
    expect(collectors.list()).toEqual([]);
  });
});
