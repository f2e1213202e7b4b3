import { Registry } from 'prom-client';
import { describe, expect, it } from 'vitest';
import { chooseCompression } from '../../../src/collector/publisher/compression-choice.ts';
import { PUBLISHER_EVENTS } from '../../../src/collector/publisher/events.ts';
import { PublishSession } from '../../../src/collector/publisher/publish-session.ts';
import type { AnswerReceiver, PublishTransport } from '../../../src/collector/publisher/publish-transport.ts';
import { PublishedStream } from '../../../src/collector/publisher/published-stream.ts';
import type {
  Explain,
  Explanation,
  PublishRequest,
  PublishResponse,
  StatusReport,
} from '../../../src/records/gen/megacollector/v1/aggregator.ts';
import { decodeRequest, encodeRequest, type OutgoingRequest } from '../../../src/records/publish-codec.ts';
import { decodeRecordBatch } from '../../../src/records/wire.ts';
import { capturedLogger } from '../../support/captured-logger.ts';
import { FakeClock, settle } from '../../support/fake-clock.ts';
import { MemoryStream } from '../../support/memory-stream.ts';

const MIB = 1024 * 1024;
const WELCOME_LIMITS = {
  messageBytes: 6 * MIB,
  batchBytes: 4 * MIB,
  batchRecords: 65_536,
  recordBytes: MIB,
  unansweredBytes: 8 * MIB,
};

/** An aggregator in memory: keeps what it is sent, and answers when a test says so. */
class MemoryAggregator implements PublishTransport {
  readonly messages: NonNullable<PublishRequest['message']>[] = [];
  readonly batches: { readonly sequence: number; readonly start: number; readonly end: number }[] = [];
  hasEnded = false;
  #receiver: AnswerReceiver | undefined;

  deliverTo(receiver: AnswerReceiver): void {
    this.#receiver = receiver;
  }

  send(request: OutgoingRequest): void {
    const decoded = decodeRequest(encodeRequest(request));
    if (decoded.kind === 'control') this.messages.push(decoded.message);
    if (decoded.kind !== 'batch') return;
    const { start, data } = decodeRecordBatch(decoded.batch.records);
    this.batches.push({ sequence: decoded.batch.sequence, start, end: start + data.length });
  }

  end(): void {
    this.hasEnded = true;
    this.close('OK');
  }

  cancel(): void {
    this.close('cancelled');
  }

  close(reason: string, replaced = false): void {
    this.#receiver?.closed({ reason, replaced });
  }

  answer(message: NonNullable<PublishResponse['message']>): void {
    this.#receiver?.receive(message);
  }

  /** Without more, it is an aggregator of version 0.1.0. */
  welcome(limits = WELCOME_LIMITS, more: { readonly statusReports?: boolean } = {}): void {
    const value = { protocolVersion: 1, compressions: [], limits, software: 'test', ...more };
    this.answer({ $case: 'welcome', value });
  }

  /** Answers each stream that was opened and not answered yet. */
  opened(end = 0): void {
    for (const message of this.messages.splice(0)) {
      if (message.$case !== 'openStream') continue;
      const position = BigInt(end);
      const value = { stream: message.value.stream, end: position, contiguousEnd: position, refusal: '' };
      this.answer({
        $case: 'streamOpened',
        value: { ...value, check: Buffer.alloc(0), checksum: undefined },
      });
    }
  }

  accept(...sequences: readonly number[]): void {
    this.answer({ $case: 'accepted', value: { sequences: sequences.map(BigInt) } });
  }

  refuse(sequence: number, reason: string, cause: 0 | 1 = 0): void {
    this.answer({ $case: 'refused', value: { sequence: BigInt(sequence), reason, cause } });
  }
}

function started(
  source: MemoryStream,
  status?: () => StatusReport,
  explain?: (request: Explain) => Promise<Explanation>,
) {
  const aggregator = new MemoryAggregator();
  const clock = new FakeClock();
  const { logger, lines } = capturedLogger();
  const stream = new PublishedStream(source);
  const streams = new Map([[source.id, stream]]);
  const session = new PublishSession({
    transport: aggregator,
    address: 'test:1',
    identity: { collectorId: Buffer.alloc(16, 1), instance: 1n, software: 'test', host: 'h' },
    compression: chooseCompression('none', 'aggregator:8000'),
    streams,
    finished: () => void streams.delete(source.id),
    events: PUBLISHER_EVENTS.open({ logger, metrics: new Registry(), clock }),
    clock,
    status,
    explain,
  });
  return { aggregator, clock, lines, session, stream, running: session.run() };
}

/** Lines of 64 KiB. */
const largeStream = (mib: number) => new MemoryStream().append(`${'x'.repeat(65_535)}\n`.repeat(mib * 16));

describe('PublishSession', () => {
  it('sends nothing but its hello before it is welcome', async () => {
    const { aggregator } = started(largeStream(1));
    await settle();
    expect(aggregator.messages.map(({ $case }) => $case)).toEqual(['hello']);
    expect(aggregator.batches).toHaveLength(0);
  });

  it('ends a call that is not welcome within ten seconds', async () => {
    const { clock, running } = started(largeStream(1));
    await clock.advance(10_000);
    expect(await running).toMatchObject({ reason: 'cancelled', welcomed: false });
  });

  it('sends at most the smaller window of the aggregator, and continues after an answer', async () => {
    const { aggregator } = started(largeStream(8));
    aggregator.welcome({ ...WELCOME_LIMITS, unansweredBytes: 3 * MIB });
    await settle();
    aggregator.opened();
    await settle();
    expect(aggregator.batches.at(-1)?.end).toBe(3 * MIB);
    aggregator.accept(2);
    await settle();
    expect(aggregator.batches.at(-1)?.end).toBe(4 * MIB);
  });

  it('never sends more than its own window', async () => {
    const { aggregator } = started(largeStream(12));
    aggregator.welcome({ ...WELCOME_LIMITS, unansweredBytes: 100 * MIB });
    await settle();
    aggregator.opened();
    await settle();
    expect(aggregator.batches.at(-1)?.end).toBe(8 * MIB);
  });

  it('reports the contiguous accepted end when answers arrive out of order', async () => {
    const source = largeStream(3);
    const { aggregator } = started(source);
    aggregator.welcome();
    await settle();
    aggregator.opened();
    await settle();
    aggregator.accept(2, 3);
    expect(source.accepted).toBe(0);
    aggregator.accept(1);
    expect(source.accepted).toBe(3 * MIB);
  });

  it('opens a stream again when the aggregator has other bytes, and refuses it the second time', async () => {
    const source = largeStream(1);
    const { aggregator, clock } = started(source);
    aggregator.welcome();
    await settle();
    aggregator.opened();
    await settle();
    aggregator.refuse(1, 'other bytes', 1);
    await settle();
    aggregator.opened();
    await settle();
    aggregator.refuse(2, 'other bytes', 1);
    expect(source.refusals).toEqual(['other bytes']);
    await settle();
    expect(aggregator.messages).toHaveLength(0);
    await clock.advance(60 * 60_000);
    expect(aggregator.messages.map(({ $case }) => $case)).toEqual(['openStream']);
  });

  it('ends the call after all batches are answered', async () => {
    const { aggregator, session, running } = started(largeStream(2));
    aggregator.welcome();
    await settle();
    aggregator.opened();
    await settle();
    session.finish();
    await settle();
    expect(aggregator.hasEnded).toBe(false);
    aggregator.accept(1, 2);
    expect(await running).toMatchObject({ reason: 'OK', fruitful: true });
    expect(aggregator.hasEnded).toBe(true);
  });

  it('reports that another process has replaced it', async () => {
    const { aggregator, running } = started(largeStream(1));
    aggregator.welcome();
    aggregator.close('a newer call of this collector has begun', true);
    expect(await running).toMatchObject({ replaced: true, welcomed: true, fruitful: false });
  });
});

describe('the report of the state of a collector', () => {
  const report = (lagBytes: number): StatusReport => ({
    lagBytes: BigInt(lagBytes),
    queuedBytes: 0n,
    lostBytes: 0n,
    streams: 1,
    listeners: [],
    omittedListeners: 0,
    problems: [],
  });

  /** The lag in each report that arrived. */
  const lags = ({ messages }: MemoryAggregator) =>
    messages.flatMap((each) => (each.$case === 'statusReport' ? [Number(each.value.lagBytes)] : []));

  it('is sent after the welcome, and again when it has changed, at most every 10 seconds', async () => {
    let lag = 1;
    const { aggregator, clock, session, running } = started(new MemoryStream(), () => report(lag));
    await settle();
    expect(lags(aggregator)).toEqual([]);
    aggregator.welcome(WELCOME_LIMITS, { statusReports: true });
    await settle();
    expect(lags(aggregator)).toEqual([1]);
    lag = 2;
    await clock.advance(9_999);
    expect(lags(aggregator)).toEqual([1]);
    await clock.advance(1);
    expect(lags(aggregator)).toEqual([1, 2]);
    for (let seconds = 0; seconds < 60; seconds += 10) await clock.advance(10_000);
    expect(lags(aggregator)).toEqual([1, 2]);
    lag = 3;
    await clock.advance(10_000);
    expect(lags(aggregator)).toEqual([1, 2, 3]);
    session.finish();
    await running;
    lag = 4;
    await clock.advance(20_000);
    expect(lags(aggregator)).toEqual([1, 2, 3]);
  });

  it('is never sent to an aggregator of version 0.1.0, which would end the call', async () => {
    const { aggregator, clock } = started(new MemoryStream(), () => report(1));
    await settle();
    aggregator.welcome();
    await clock.advance(60_000);
    expect(aggregator.messages.map(({ $case }) => $case)).toEqual(['hello', 'openStream']);
  });
});

describe('a request to explain a file', () => {
  const explain = async ({ id, subject }: Explain) => ({ id, json: `"${subject}"`, refusal: '' });

  it('is answered on the same call, and the hello has announced it', async () => {
    const { aggregator } = started(new MemoryStream(), undefined, explain);
    await settle();
    expect(aggregator.messages).toMatchObject([{ $case: 'hello', value: { explains: true } }]);
    aggregator.welcome();
    aggregator.answer({ $case: 'explain', value: { id: 3, subject: '/a.log' } });
    await settle();
    expect(aggregator.messages.at(-1)).toEqual({
      $case: 'explanation',
      value: { id: 3, json: '"/a.log"', refusal: '' },
    });
  });

  it('gets no answer when the operator has refused it', async () => {
    const { aggregator } = started(new MemoryStream());
    await settle();
    expect(aggregator.messages).toMatchObject([{ $case: 'hello', value: { explains: false } }]);
    aggregator.welcome();
    aggregator.answer({ $case: 'explain', value: { id: 3, subject: '/a.log' } });
    await settle();
    expect(aggregator.messages.map(({ $case }) => $case)).toEqual(['hello', 'openStream']);
  });
});
