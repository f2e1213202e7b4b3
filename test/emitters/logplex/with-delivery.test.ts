import { expect, it, onTestFinished, vi } from 'vitest';
import { createEmitterChain } from '../../../src/aggregator/delivery/emitter-chain.ts';
import { systemClock } from '../../../src/runtime/clock.ts';
import { capturedLogger } from '../../support/captured-logger.ts';
import { LogplexEndpoint } from '../../support/logplex-endpoint.ts';
import { MemoryNotifier } from '../../support/memory-notifier.ts';
import { MemoryQueue } from '../../support/memory-queue.ts';
import { logplex, serveDatabase, tenantSlice } from './emitting.ts';

/** A deterministic generator of pseudo-random numbers. */
function chance(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state * 1_103_515_245 + 12_345) % 2 ** 31;
    return state / 2 ** 31;
  };
}

it('delivers all records of each tenant once and in order, independently of the other tenants', async () => {
  const random = chance(7);
  const good = ['one', 'two', 'three'];
  const tenants = [...good, 'broken', 'poisoned'];
  const endpoint = await LogplexEndpoint.start({ tokens: tenants.map((name) => `t.${name}`) });
  const failing = new Set<string>();
  endpoint.behaviour = ({ token }) => {
    if (token === 't.broken') return { status: 404 };
    // Sometimes, but never twice in a row.
    if (token === 't.poisoned' || failing.delete(token) || random() < 0.8) return undefined;
    failing.add(token);
    return { status: 503 };
  };
  endpoint.refuses = ({ text }) => text.startsWith('venom');
  const { directory } = await serveDatabase(tenants.map((name) => ({ i: name, t: `t.${name}` })));
  const { emitter, logs, metrics } = await logplex(
    { serve_db_dir: directory, logplex_url: endpoint.url(''), patience: '500ms', ordered: true },
    { clock: systemClock },
  );
  const queue = new MemoryQueue(systemClock);
  const chain = createEmitterChain({
    cursor: queue.cursor('test'),
    deadLetters: queue.deadLetters,
    emitter,
    settings: {
      maxRecords: 100,
      publishFrequencyMs: 1,
      retryCount: 3,
      retryDelayMs: 10,
      afterRetries: 'hold',
    },
    notifier: new MemoryNotifier(),
    clock: systemClock,
    logger: capturedLogger().logger,
    metrics,
  });
  onTestFinished(() => chain.stop(AbortSignal.abort()));

  const sent = new Map<string, string[]>();
  const counts = new Map<string, number>();
  for (let i = 0; i < 300; i++) {
    const tenant = [...tenants, 'unknown'][Math.floor(random() * 6)] ?? '';
    const texts = Array.from({ length: 1 + Math.floor(random() * 5) }, (_, index) => {
      const isPoison = tenant === 'poisoned' && random() < 0.2;
      return `${isPoison ? 'venom' : tenant} ${i} ${index}`;
    });
    sent.set(tenant, [...(sent.get(tenant) ?? []), ...texts]);
    counts.set(tenant, (counts.get(tenant) ?? 0) + texts.length);
    queue.append(tenantSlice(tenant, texts));
  }
  await chain.start();
  await vi.waitFor(() => expect(queue.cursor('test').committed).toEqual({ entry: 301, record: 0 }), {
    timeout: 30_000,
    interval: 50,
  });

  const arrived = (tenant: string) => endpoint.texts(`t.${tenant}`).map((text) => text.trimEnd());
  for (const tenant of good) expect(arrived(tenant)).toEqual(sent.get(tenant));
  const isPoison = (text: string) => text.startsWith('venom');
  const poisoned = sent.get('poisoned') ?? [];
  expect(arrived('poisoned')).toEqual(poisoned.filter((text) => !isPoison(text)));
  expect(arrived('broken')).toEqual([]);
  const dead = queue.deadLetters.list('test');
  const deadOf = (pattern: RegExp) =>
    dead.filter(({ reason }) => pattern.test(reason)).reduce((sum, { records }) => sum + records, 0);
  expect(deadOf(/answered 400/)).toBe(poisoned.filter(isPoison).length);
  expect(deadOf(/no record for the identity "unknown"/)).toBe(counts.get('unknown'));
  expect(deadOf(/answered 404|for "broken" is suspended/)).toBe(counts.get('broken'));
  expect(endpoint.faults).toEqual([]);
  expect(logs.filter(({ msg }) => msg.includes('dead letters until it recovers'))).toHaveLength(1);
});
