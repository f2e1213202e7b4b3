import { randomBytes } from 'node:crypto';
import { existsSync } from 'node:fs';
import { describe, expect, it, vi } from 'vitest';
import { FebeClient } from '../../../support/febe-client.ts';
import type { MemoryStore } from '../../../support/memory-store.ts';
import { temporaryDirectory } from '../../../support/temporary-directory.ts';
import { startIntake, startPublisher } from '../../../support/wire-pair.ts';
import { messagesOf, PATIENT, preparedSource } from './prepared-source.ts';

const untilStored = (store: MemoryStore, messages: readonly string[]) =>
  vi.waitFor(() => expect(store.batches.flatMap(messagesOf)).toEqual(messages), PATIENT);

const numbers = (count: number) => Array.from({ length: count }, (_, number) => `${number}`);

describe('the source pg-logfebe with a real publisher and a real intake', () => {
  it('delivers each record once and in order, and ends the stream of a removed tenant', async () => {
    const { address, store } = await startIntake();
    const { publisher } = await startPublisher([address]);
    const { start, serve, path } = await preparedSource();
    await serve('a');
    await start(publisher);
    const client = await FebeClient.greeted(path('a'), 'a');
    for (const number of numbers(300)) await client.record(number);
    await untilStored(store, numbers(300));
    await serve();
    await vi.waitFor(() => expect([...store.finals.values()]).toHaveLength(1), PATIENT);
    expect(store.repeatedBytes).toBe(0);
  });

  it('continues to read while the intake is stopped, and loses nothing', async () => {
    const { address, store } = await startIntake();
    const { publisher } = await startPublisher([address]);
    const { start, serve, path, metric } = await preparedSource();
    await serve('a');
    await start(publisher);
    let open: () => void = () => {};
    store.gate = new Promise((resolve) => {
      open = resolve;
    });
    const client = await FebeClient.greeted(path('a'), 'a');
    const messages = numbers(300).map((number) => number.padEnd(30_000, '.'));
    for (const message of messages) await client.record(message);
    await vi.waitFor(async () => expect(await metric('journal_records_total')).toBe(300), PATIENT);
    expect(store.batches).toEqual([]);
    open();
    await untilStored(store, messages);
  });

  it('continues after a restart of the collector and of the aggregator', { timeout: 60_000 }, async () => {
    const directory = await temporaryDirectory();
    const { address, store, intake } = await startIntake();
    const collectorId = randomBytes(16);
    const { publisher } = await startPublisher([address], { collectorId });
    const first = await preparedSource({}, { directory });
    await first.serve('a');
    await first.start(publisher);
    const client = await FebeClient.greeted(first.path('a'), 'a');
    await client.record('before');
    await untilStored(store, ['before']);
    await intake.stop(AbortSignal.timeout(1000));
    await client.record('while no aggregator listens');
    await vi.waitFor(async () => expect(await first.metric('journal_records_total')).toBe(2), PATIENT);
    await first.stop();
    await publisher.stop(AbortSignal.timeout(1000));
    expect(existsSync(first.path('a'))).toBe(false);

    const again = await startIntake({ store });
    const second = await preparedSource({}, { directory });
    await second.start((await startPublisher([again.address], { collectorId })).publisher);
    await (await FebeClient.greeted(second.path('a'), 'a')).record('after');
    await untilStored(store, ['before', 'while no aggregator listens', 'after']);
    expect(store.repeatedBytes).toBe(0);
  });

  it('sends a new aggregator only records that no other aggregator has accepted', async () => {
    const directory = await temporaryDirectory();
    const first = await startIntake();
    const publisher = await startPublisher([first.address]);
    const collector = await preparedSource({}, { directory });
    await collector.serve('a');
    await collector.start(publisher.publisher);
    const client = await FebeClient.greeted(collector.path('a'), 'a');
    await client.record('for the first');
    await untilStored(first.store, ['for the first']);
    await publisher.publisher.stop(AbortSignal.timeout(1000));
    await collector.stop();

    const other = await startIntake();
    const again = await preparedSource({}, { directory });
    await again.start((await startPublisher([other.address])).publisher);
    await (await FebeClient.greeted(again.path('a'), 'a')).record('for the other');
    await untilStored(other.store, ['for the other']);
  });
});
