import { join } from 'node:path';
import { describe, expect, it, vi } from 'vitest';
import { readBalance } from '../../testkit/product.ts';
import { FebeClient } from '../support/febe-client.ts';
import { LogplexEndpoint, type Misbehaviour } from '../support/logplex-endpoint.ts';
import { startServedStandalone, submitServes } from '../support/served-standalone.ts';
import { temporaryDirectory } from '../support/temporary-directory.ts';

const PATIENT = { timeout: 30_000, interval: 50 };
const ROUND = 20;

async function servedBy(endpoint: LogplexEndpoint) {
  const directory = await temporaryDirectory();
  const path = join(directory, 'db.sock');
  await submitServes(directory, [{ i: 'db', p: path, url: endpoint.url() }]);
  const served = await startServedStandalone(directory, {
    AGGREGATOR_LOGPLEX_CONFIGURATION: JSON.stringify({ serve_db_dir: directory, request_timeout: '500ms' }),
    AGGREGATOR_RETRY_DELAY: '50ms',
    AGGREGATOR_MINIMUM_PUBLISH_FREQUENCY: '50ms',
  });
  const client = await FebeClient.greeted(path, 'db');
  let sent = 0;
  /** Sends some records; their texts as they must arrive. */
  const send = async () => {
    const from = sent;
    sent += ROUND;
    const numbers = Array.from({ length: ROUND }, (_, index) => from + index);
    for (const number of numbers) await client.record(`record ${number}`, { SeqNum: number + 1 });
    return numbers.map((number) => `record ${number}\n`);
  };
  return { ...served, send, sent: () => sent };
}

/** Redirects and answers for the destination are waited out; nothing is sent to where a redirect points. */
const MISBEHAVIOURS: readonly Misbehaviour[] = [
  'hang',
  'reset',
  'reset-at-once',
  { status: 400, body: 'Malformed log messages' },
  { status: 401 },
  { status: 408 },
  { status: 429, headers: { 'Retry-After': '0' } },
  { status: 503 },
  { status: 301, headers: { Location: '/elsewhere' } },
  { status: 307, headers: { Location: '/elsewhere' } },
];

describe('records on their way from a PostgreSQL socket to a logplex endpoint', () => {
  it('survive whatever the endpoint does, each once', { timeout: 120_000 }, async () => {
    const endpoint = await LogplexEndpoint.start();
    const { send, sent, aggregatorState, standalone } = await servedBy(endpoint);
    const all: string[] = [];
    for (const misbehaviour of MISBEHAVIOURS) {
      endpoint.next.push(misbehaviour, misbehaviour);
      all.push(...(await send()));
      const arrived = () => endpoint.texts().sort();
      await vi.waitFor(
        () => expect(arrived(), JSON.stringify(misbehaviour)).toEqual([...all].sort()),
        PATIENT,
      );
      expect(endpoint.next).toEqual([]);
    }
    expect(endpoint.requests.every(({ path }) => path === '/logs')).toBe(true);
    await vi.waitFor(
      async () =>
        expect(await readBalance(aggregatorState)).toMatchObject({
          accepted: { records: sent() },
          emitters: [{ emitter: 'logplex', delivered: { records: sent() }, deadLettered: { records: 0 } }],
        }),
      PATIENT,
    );
    expect(standalone.stderr).not.toContain('t.test');
  });

  it('wait as long as the endpoint asks', { timeout: 60_000 }, async () => {
    const endpoint = await LogplexEndpoint.start();
    const { send } = await servedBy(endpoint);
    const times: number[] = [];
    endpoint.behaviour = () => {
      times.push(performance.now());
      return times.length === 1 ? { status: 429, headers: { 'Retry-After': '2' } } : undefined;
    };
    const texts = await send();
    await vi.waitFor(() => expect(endpoint.texts().sort()).toEqual(texts.sort()), PATIENT);
    const [refused = 0, next = 0] = times;
    expect(next - refused).toBeGreaterThan(1_900);
  });

  it('are held while the token is not known, and go when it is', { timeout: 60_000 }, async () => {
    const endpoint = await LogplexEndpoint.start({ tokens: [] });
    const { send } = await servedBy(endpoint);
    const texts = await send();
    await vi.waitFor(() => expect(endpoint.faults.length).toBeGreaterThan(4), PATIENT);
    endpoint.tokens.add('t.test');
    await vi.waitFor(() => expect(endpoint.texts().sort()).toEqual(texts.sort()), PATIENT);
  });

  it('become a dead letter alone, when the endpoint refuses one of them', { timeout: 60_000 }, async () => {
    const endpoint = await LogplexEndpoint.start();
    endpoint.refuses = ({ text }) => text === 'record 7\n';
    const { send, aggregatorState } = await servedBy(endpoint);
    const [texts, more] = [await send(), await send()];
    const expected = [...texts, ...more].filter((text) => text !== 'record 7\n');
    await vi.waitFor(() => expect(endpoint.texts().sort()).toEqual(expected.sort()), PATIENT);
    await vi.waitFor(
      async () =>
        expect(await readBalance(aggregatorState)).toMatchObject({
          emitters: [{ delivered: { records: expected.length }, deadLettered: { records: 1 } }],
        }),
      PATIENT,
    );
  });
});
