import { describe, expect, it } from 'vitest';
import { PagerDutyClient } from '../../../src/aggregator/notify/pagerduty-client.ts';
import type { PagerDutyEvent } from '../../../src/aggregator/notify/pagerduty-event.ts';
import { type Answering, answering, PagerDutyServer } from '../../support/pagerduty-server.ts';

const KEY = '0123456789abcdef0123456789abcdef';
const EVENT: PagerDutyEvent = { routing_key: KEY, event_action: 'resolve', dedup_key: 'k' };
const NEVER = new AbortController().signal;

async function setUp(answer?: Answering, timeoutMs = 10_000) {
  const server = await PagerDutyServer.create();
  if (answer !== undefined) server.answer = answer;
  const client = new PagerDutyClient({ server: server.address, ca: server.certificate, timeoutMs });
  return { server, client };
}

describe('PagerDutyClient', () => {
  it('sends the event unchanged, over TLS', async () => {
    const { server, client } = await setUp();
    expect(await client.send(EVENT, NEVER)).toEqual({ kind: 'sent' });
    expect(server.events).toEqual([EVENT]);
    expect(server.paths).toEqual(['/v2/enqueue']);
  });

  it('accepts a URL as the server', async () => {
    const { server } = await setUp();
    const client = new PagerDutyClient({ server: `https://${server.address}/`, ca: server.certificate });
    expect(await client.send(EVENT, NEVER)).toEqual({ kind: 'sent' });
  });

  it('rejects an untrusted certificate', async () => {
    const { server } = await setUp();
    const client = new PagerDutyClient({ server: server.address });
    expect(await client.send(EVENT, NEVER)).toMatchObject({ kind: 'retry' });
    expect(server.events).toEqual([]);
  });

  it.each<[string, Answering, object]>([
    ['202 with an empty body', answering(202, ''), { kind: 'sent' }],
    ['202 without a dedup_key', answering(202, '{}'), { kind: 'sent' }],
    [
      '400 with an explanation, without the key in it',
      answering(400, JSON.stringify({ message: 'Event object is invalid', errors: [`bad key ${KEY}`] })),
      { kind: 'refused', reason: 'HTTP 400: Event object is invalid; bad key ...cdef' },
    ],
    ['400 with a page', answering(400, '<html>no</html>'), { kind: 'refused', reason: 'HTTP 400' }],
    ['403', answering(403, '{}'), { kind: 'refused', reason: 'HTTP 403' }],
    ['500 with a page', answering(500, 'oops'), { kind: 'retry', reason: 'HTTP 500' }],
    ['503', answering(503, ''), { kind: 'retry', reason: 'HTTP 503' }],
    [
      '503 with a delay',
      answering(503, '', { 'retry-after': '7' }),
      { kind: 'retry', reason: 'HTTP 503', afterMs: 7000 },
    ],
    [
      'a connection that is cut',
      (response) => void response.socket?.destroy(),
      { kind: 'retry', reason: 'ECONNRESET' },
    ],
  ])('%s', async (_, answer, expected) => {
    const { client } = await setUp(answer);
    expect(await client.send(EVENT, NEVER)).toMatchObject(expected);
  });

  it('sends once on HTTP 429, and returns the requested delay', async () => {
    const { server, client } = await setUp(answering(429, '{}', { 'retry-after': '42' }));
    expect(await client.send(EVENT, NEVER)).toEqual({ kind: 'retry', reason: 'HTTP 429', afterMs: 42_000 });
    await new Promise((resolve) => setTimeout(resolve, 50));
    expect(server.events).toHaveLength(1);
  });

  it('does not follow redirects', async () => {
    const { server, client } = await setUp(answering(307, '', { location: '/elsewhere' }));
    expect(await client.send(EVENT, NEVER)).toMatchObject({ kind: 'retry', reason: 'HTTP 307' });
    expect(server.paths).toEqual(['/v2/enqueue']);
  });

  it('ends with a retry when no response arrives', async () => {
    const { client } = await setUp(() => undefined, 100);
    expect(await client.send(EVENT, NEVER)).toEqual({ kind: 'retry', reason: 'no answer within 100 ms' });
  });

  it('uses the status when the body never ends', async () => {
    const { client } = await setUp((response) => void response.writeHead(202).write('{'), 300);
    expect(await client.send(EVENT, NEVER)).toEqual({ kind: 'sent' });
  });

  it('ends when the signal aborts', async () => {
    const { client } = await setUp(() => undefined);
    const abort = new AbortController();
    setTimeout(() => abort.abort(), 20);
    expect(await client.send(EVENT, abort.signal)).toMatchObject({ kind: 'retry' });
  });

  it('returns the error code when nothing is listening', async () => {
    const client = new PagerDutyClient({ server: 'localhost:1' });
    const result = await client.send(EVENT, NEVER);
    expect(result).toEqual({ kind: 'retry', reason: 'ECONNREFUSED' });
  });
});
