import { Client, credentials } from '@grpc/grpc-js';
import { expect, it, onTestFinished, vi } from 'vitest';
import { encodeRequest } from '../../../src/records/publish-codec.ts';
import { mintStreamId, streamIdToBytes } from '../../../src/records/stream-id.ts';
import { RawPublishClient } from '../../support/raw-publish-client.ts';
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

it('health answers while calls flood the intake with final messages, and each such call ends', async () => {
  const { address, metrics } = await startIntake();
  const refused = async () =>
    Number(
      / (\d+)$/m.exec(await metrics.getSingleMetricAsString('aggregator_intake_refused_finals_total'))?.[1],
    );
  const clients = Array.from({ length: 2 }, (_, i) =>
    new RawPublishClient(address).read().hello(Buffer.alloc(16, i)),
  );
  const flood = (count: number) => {
    for (const client of clients) for (let i = 0; i < count; i++) client.send(finalMessage());
  };
  flood(1_000);
  await until(async () => expect(await refused()).toBeGreaterThan(0));
  flood(MESSAGES);
  expect((await health(address)).length).toBeGreaterThan(0);
  flood(MESSAGES);
  const ends = await Promise.all(clients.map(async ({ status }) => await status));
  for (const { details } of ends) expect(details).toBe('too many refusals on one call');
  expect((await health(address)).length).toBeGreaterThan(0);
}, 60_000);
