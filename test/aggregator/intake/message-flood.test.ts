import { connect } from 'node:http2';
import { setImmediate } from 'node:timers/promises';
import { Client, credentials } from '@grpc/grpc-js';
import { expect, it, onTestFinished, vi } from 'vitest';
import { REQUESTS_PER_TURN } from '../../../src/aggregator/intake/publish/request-gate.ts';
import { encodeRequest } from '../../../src/records/publish-codec.ts';
import { mintStreamId, streamIdToBytes } from '../../../src/records/stream-id.ts';
import { startIntake } from '../../support/wire-pair.ts';

const until = <T>(check: () => T) => vi.waitFor(check, { timeout: 30_000, interval: 10 });
const MESSAGES = 9_000;

const finalMessage = () =>
  encodeRequest({
    message: { $case: 'finalStream', value: { stream: streamIdToBytes(mintStreamId()), end: 0n } },
  });

/** One empty request of `grpc.health.v1.Health/Check`. */
async function health(address: string): Promise<Buffer> {
  const client = new Client(address, credentials.createInsecure(), { 'grpc.use_local_subchannel_pool': 1 });
  onTestFinished(() => client.close());
  return await new Promise((resolve, reject) => {
    client.makeUnaryRequest(
      '/grpc.health.v1.Health/Check',
      (bytes: Buffer) => bytes,
      (bytes) => bytes,
      Buffer.alloc(0),
      (error, answer) => (error === null ? resolve(answer ?? Buffer.alloc(0)) : reject(error)),
    );
  });
}

/** The largest number of refused final messages between two turns of the event loop, until `signal` aborts. */
async function mostInOneTurn(refused: () => Promise<number>, signal: AbortSignal): Promise<number> {
  let most = 0;
  for (let before = await refused(); !signal.aborted; ) {
    await setImmediate();
    const now = await refused();
    most = Math.max(most, now - before);
    before = now;
  }
  return most;
}

/** A Publish call that sends many messages in each write. Resolves with the status message that ends it. */
function floodingCall(
  address: string,
  collectorId: Buffer,
): { send(messages: readonly Buffer[]): void; end: Promise<string> } {
  const session = connect(`http://${address}`);
  onTestFinished(() => session.destroy());
  session.on('error', () => {});
  const call = session.request({
    ':method': 'POST',
    ':path': '/megacollector.v1.Aggregator/Publish',
    'content-type': 'application/grpc',
    te: 'trailers',
  });
  call.on('error', () => {});
  call.resume();
  const end = new Promise<string>((resolve) => {
    const report = (headers: { readonly 'grpc-message'?: unknown }) =>
      resolve(decodeURIComponent(String(headers['grpc-message'])));
    call.on('trailers', report);
  });
  const send = (messages: readonly Buffer[]) => void call.write(Buffer.concat(messages.map(framed)));
  const value = { collectorId, instance: 1n, protocolVersion: 1, software: 'raw', host: 'raw' };
  send([encodeRequest({ message: { $case: 'hello', value } })]);
  return { send, end };
}

/** One byte of flags and four bytes of length precede each message. */
function framed(message: Buffer): Buffer {
  const head = Buffer.alloc(5);
  head.writeUInt32BE(message.length, 1);
  return Buffer.concat([head, message]);
}

it('leaves turns to health checks while calls flood it with final messages, and ends each such call', async () => {
  const { address, metrics } = await startIntake();
  const refused = async () =>
    Number(
      / (\d+)$/m.exec(await metrics.getSingleMetricAsString('aggregator_intake_refused_finals_total'))?.[1],
    );
  const calls = Array.from({ length: 2 }, (_, i) => floodingCall(address, Buffer.alloc(16, i)));
  const flood = (count: number) => {
    for (const call of calls) call.send(Array.from({ length: count }, finalMessage));
  };
  const flooded = new AbortController();
  const most = mostInOneTurn(refused, flooded.signal);
  flood(MESSAGES);
  await until(async () => expect(await refused()).toBeGreaterThan(0));
  expect((await health(address)).length).toBeGreaterThan(0);
  flood(MESSAGES);
  for (const { end } of calls) expect(await end).toBe('too many refusals on one call');
  expect((await health(address)).length).toBeGreaterThan(0);
  flooded.abort();
  // A call may begin a turn before, and another one after, the turn that is measured.
  expect(await most).toBeLessThanOrEqual(calls.length * 2 * REQUESTS_PER_TURN);
}, 60_000);
