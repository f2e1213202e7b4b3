import { once } from 'node:events';
import { createServer, type ServerHttp2Stream } from 'node:http2';
import type { AddressInfo } from 'node:net';
import { Registry } from 'prom-client';
import { describe, expect, it, onTestFinished, vi } from 'vitest';
import { Publisher } from '../../../src/collector/publisher/publisher.ts';
import { ReconnectBackoff } from '../../../src/collector/publisher/reconnect-backoff.ts';
import type { PublishResponse } from '../../../src/records/gen/megacollector/v1/aggregator.ts';
import { encodeResponse } from '../../../src/records/publish-codec.ts';
import { capturedLogger } from '../../support/captured-logger.ts';
import { FakeClock, settle } from '../../support/fake-clock.ts';

const until = <T>(check: () => T) => vi.waitFor(check, { timeout: 15_000, interval: 5 });
const HEADERS = { ':status': 200, 'content-type': 'application/grpc' };

/** A server that answers each Publish call with these messages, and ends it at once. */
async function endingServer(...answers: readonly PublishResponse['message'][]) {
  const server = createServer();
  const calls: ServerHttp2Stream[] = [];
  server.on('session', (session) => onTestFinished(() => session.destroy()));
  server.on('stream', (stream) => {
    calls.push(stream);
    stream.on('error', () => {});
    stream.respond(HEADERS, { waitForTrailers: true });
    stream.on('wantTrailers', () => stream.sendTrailers({ 'grpc-status': '14' }));
    stream.end(Buffer.concat(answers.map(framed)));
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  onTestFinished(() => void server.close());
  return { calls, address: `127.0.0.1:${(server.address() as AddressInfo).port}` };
}

function framed(message: PublishResponse['message']): Buffer {
  const bytes = encodeResponse({ message });
  const head = Buffer.alloc(5);
  head.writeUInt32BE(bytes.length, 1);
  return Buffer.concat([head, bytes]);
}

const WELCOME: PublishResponse['message'] = {
  $case: 'welcome',
  value: { protocolVersion: 1, compressions: [], limits: undefined, software: 'test/1' },
};

async function startPublisher(address: string) {
  const { logger } = capturedLogger();
  const ended = vi.spyOn(ReconnectBackoff.prototype, 'ended');
  onTestFinished(() => ended.mockRestore());
  const clock = new FakeClock();
  const identity = { collectorId: Buffer.alloc(16, 1), instance: 1n, software: 'test/1', host: 'h' };
  const publisher = new Publisher({
    ...{ addresses: [address], tls: undefined, compression: 'none', identity, clock, logger },
    metrics: new Registry(),
    random: () => 1,
  });
  await publisher.start();
  onTestFinished(() => publisher.stop(AbortSignal.timeout(1_000)));
  return { clock, ended: () => ended.mock.calls.length };
}

/** The pauses of a publisher before its calls 2 to 6. */
async function pausesBetween(calls: readonly unknown[], clock: FakeClock, ended: () => number) {
  const pauses: number[] = [];
  for (let call = 1; call < 6; call++) {
    await until(() => expect(calls).toHaveLength(call));
    await until(() => expect(ended()).toBe(call));
    await settle();
    let pause = 0;
    for (; calls.length === call && pause < 10_000; pause += 100) {
      await clock.advance(100);
      await settle();
    }
    pauses.push(pause);
  }
  return pauses;
}

describe('a publisher whose calls end at once pauses longer and longer', () => {
  it.each<[string, readonly PublishResponse['message'][]]>([
    ['without a welcome', []],
    ['after the welcome', [WELCOME]],
    ['after an answer to no batch', [WELCOME, { $case: 'accepted', value: { sequences: [] } }]],
    ['after an answer to an unknown batch', [WELCOME, { $case: 'accepted', value: { sequences: [7n] } }]],
  ])('%s', async (_, answers) => {
    const { calls, address } = await endingServer(...answers);
    const { clock, ended } = await startPublisher(address);
    const pauses = await pausesBetween(calls, clock, ended);
    for (const [at, pause] of pauses.entries()) expect(pause).toBeGreaterThanOrEqual(100 * 2 ** (at + 1));
  });
});

describe('the pause before the next call', () => {
  const FAILED = { hasProgress: false, isReplaced: false, welcomedForMs: undefined };
  const failing = (calls: number) => {
    const backoff = new ReconnectBackoff(() => 1);
    for (let call = 0; call < calls; call++) backoff.ended(FAILED);
    return backoff;
  };

  it('doubles up to five seconds', () => {
    expect([1, 2, 3, 4, 5, 6, 7, 50].map((calls) => failing(calls).pauseMs)).toEqual([
      200, 400, 800, 1_600, 3_200, 5_000, 5_000, 5_000,
    ]);
  });

  it('begins anew after an accepted batch, and after a call that lived for ten seconds', () => {
    for (const progress of [
      { ...FAILED, hasProgress: true, welcomedForMs: 2_000 },
      { ...FAILED, welcomedForMs: 10_000 },
    ]) {
      const backoff = failing(20);
      backoff.ended(progress);
      expect(backoff.pauseMs).toBe(0);
      backoff.ended(FAILED);
      expect(backoff.pauseMs).toBe(200);
    }
  });

  it('continues to grow after a short call without a batch, and after a call that another process has replaced', () => {
    for (const end of [
      { ...FAILED, welcomedForMs: 9_999 },
      { hasProgress: true, isReplaced: true, welcomedForMs: 60_000 },
    ]) {
      const backoff = failing(3);
      backoff.ended(end);
      expect(backoff.pauseMs).toBe(1_600);
    }
  });

  it('is a tenth of a second after a short call with an accepted batch', () => {
    const backoff = failing(20);
    backoff.ended({ ...FAILED, hasProgress: true, welcomedForMs: 999 });
    expect(backoff.pauseMs).toBe(100);
  });
});
