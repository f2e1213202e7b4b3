import { request as httpRequest } from 'node:http';
import { join } from 'node:path';
import { describe, expect, onTestFinished, test } from 'vitest';
import type { IntakeActivity } from '../../src/aggregator/api/operations/intake-operations.ts';
import { OPERATIONS } from '../../src/aggregator/api/operations/operations.ts';
import { CollectorRegister } from '../../src/aggregator/intake/activity/collector-register.ts';
import { StreamRegister } from '../../src/aggregator/intake/activity/stream-register.ts';
import { COLLECTOR_OPERATIONS, collectorHandler } from '../../src/collector/operations.ts';
import { systemClock } from '../../src/runtime/clock.ts';
import { callControl } from '../../src/runtime/control/control-client.ts';
import { ControlServer } from '../../src/runtime/control/control-server.ts';
import { callHandler } from '../../src/runtime/http/call-handler.ts';
import type { HttpCall, HttpReply } from '../../src/runtime/http/http-call.ts';
import type { HttpHandler } from '../../src/runtime/http/http-contract.ts';
import type { Operation } from '../../src/runtime/operations/operation.ts';
import { operationCall } from '../../src/runtime/operations/operation-call.ts';
import { Taps } from '../../src/tap/taps.ts';
import { fakeQueue, LETTER } from '../aggregator/api/fake-queue.ts';
import { ENTRY, fakeStore } from '../aggregator/api/fake-store.ts';
import { servedApi } from '../aggregator/api/served-api.ts';
import { capturedLogger } from '../support/captured-logger.ts';
import { temporaryDirectory } from '../support/temporary-directory.ts';

/** Every operation is called over every transport, and the answers are compared. */

const TOKEN = 'correct-horse-battery-staple';

interface Input {
  readonly parameters?: object;
  readonly query?: object;
  readonly body?: unknown;
}

/** An input that succeeds, for each operation that needs one. */
const INPUTS: Readonly<Record<string, Input>> = {
  countValues: { query: { property: 'status_code' } },
  createMetric: { body: { id: 'requests' } },
  getMetric: { parameters: { id: 'requests' } },
  deleteMetric: { parameters: { id: 'requests' } },
  listPoints: { parameters: { id: 'requests' }, query: { limit: 5 } },
  createAlert: { body: { id: 'too_many', metric: 'requests', level: 10 } },
  getAlert: { parameters: { id: 'too_many' } },
  deleteAlert: { parameters: { id: 'too_many' } },
  listEvents: { parameters: { id: 'too_many' } },
  listContext: { query: { stream: ENTRY.stream, position: 4096 } },
  getLog: { parameters: { stream: ENTRY.stream, position: 4096 } },
  checkExpression: { body: { expression: 'status_code >= ' } },
  createLogGroup: { body: { id: 'checkout', expression: 'status_code >= 500' } },
  getLogGroup: { parameters: { id: 'checkout' } },
  updateLogGroup: {
    parameters: { id: 'checkout' },
    body: { id: 'checkout', expression: 'status_code >= 500' },
  },
  deleteLogGroup: { parameters: { id: 'checkout' } },
  updateMetric: { parameters: { id: 'requests' }, body: { id: 'requests' } },
  previewMetric: { body: { definition: { id: 'requests' } } },
  updateAlert: {
    parameters: { id: 'too_many' },
    body: { id: 'too_many', metric: 'requests', level: 10 },
  },
  previewAlert: { body: { definition: { id: 'too_many', metric: 'requests', level: 10 } } },
  silenceAlert: { parameters: { id: 'too_many' }, body: { until: '2h' } },
  unsilenceAlert: { parameters: { id: 'too_many' } },
  tryFilter: { body: { text: 'drop if body == "line 0"' } },
  forgetEmitter: { parameters: { name: 'archive' } },
  skipEntry: { parameters: { name: 'archive' } },
  getDeadLetter: { parameters: { id: LETTER.id } },
  replayDeadLetters: { body: { emitter: 'file' } },
  explainCollectorFile: { parameters: { id: 'aa' }, query: { file: '/var/log/a b&c.log' } },
  forgetFile: { body: { path: '/logs/a.log' } },
  discardDeadLetters: { body: { ids: [LETTER.id] } },
  explainFile: { query: { path: '/var/log/a b&c.log' } },
};

/** The operations that need more than the access of the machine. All others are for every caller. */
const NEED_TOKEN = [
  'listDeadLetters',
  'getDeadLetter',
  'replayDeadLetters',
  'discardDeadLetters',
  'listFilterErrors',
  'tryFilter',
];
const NEED_OWNER = ['forgetEmitter', 'skipEntry'];

const callOf = (operation: Operation<never>) => operationCall(operation, INPUTS[operation.id] ?? {});

async function controlled(handle: HttpHandler): Promise<string> {
  const directory = await temporaryDirectory();
  const server = new ControlServer({ directory, handle, logger: capturedLogger().logger });
  await server.start();
  onTestFinished(() => server.stop(AbortSignal.abort()));
  return directory;
}

async function overSocket(directory: string, call: HttpCall): Promise<HttpReply> {
  const reply = await callControl(directory, call);
  if (reply === undefined) throw new Error('no answer');
  return reply;
}

/** An intake with one collector, which explains files. */
function connectedCollector(): () => IntakeActivity {
  const collectors = new CollectorRegister(systemClock);
  const json = '{"kind":"not-read","path":"/var/log/a b&c.log","reason":"it is empty"}';
  collectors.connect({
    ...{ id: 'aa', host: 'web-1', software: 'mega-collector/1.2.3', address: '10.0.0.1:1' },
    ...{ explains: 'offered', explain: async () => ({ kind: 'explained', json }) },
  });
  const activity = { collectors, streams: new StreamRegister(systemClock), acceptedBytes: () => 0 };
  return () => activity;
}

/** The points of a running aggregator. Its streams of records have tests of their own. */
const TAPS = {
  points: { points: [{ point: 'intake', description: 'All records that arrive.' }], omitted: 0 },
  open: () => Promise.reject(new Error('not in this test')),
};

/** The aggregator's operations, served over both transports, with one store and one queue. */
async function served(token: string | undefined) {
  const queue = fakeQueue();
  const store = fakeStore({
    tail: async () => ({ entries: [ENTRY], place: new Map(), skipped: 3 }),
  });
  const activity = connectedCollector();
  const queues = { store: () => store, queue: () => queue, taps: () => TAPS };
  const { api, url } = await servedApi({ token, ...queues, activity });
  const directory = await controlled(api.owner);
  const headers = {
    ...(token !== undefined && { authorization: `Bearer ${token}` }),
    'content-type': 'application/json',
  };
  const overNetwork = async ({ method, path, body }: HttpCall): Promise<HttpReply> => {
    const response = await fetch(url(path), { method, headers, ...(body !== undefined && { body }) });
    return { status: response.status, text: await response.text() };
  };
  return { api, queue, store, directory, url, headers, overNetwork };
}

const named = <Context>(operations: readonly Operation<Context>[]) =>
  operations.map((operation) => [operation.id, operation] as const);

describe.each([
  ['with a token', TOKEN, NEED_OWNER],
  ['without a token', undefined, [...NEED_TOKEN, ...NEED_OWNER]],
] as const)('an aggregator %s', (_, token, forbidden) => {
  const answering = OPERATIONS.filter(({ answer }) => typeof answer !== 'string');

  test.each(named(answering))('%s is answered the same over all transports', async (_id, operation) => {
    const { api, queue, store, directory, overNetwork } = await served(token);
    const call = callOf(operation);
    const ofSocket = await overSocket(directory, call);
    expect(ofSocket.status, ofSocket.text).toBe(operation.status);
    const { answer } = operation;
    if (answer === undefined || typeof answer === 'string') expect(ofSocket.text).toBe('');
    else expect(answer.parse(JSON.parse(ofSocket.text))).toEqual(JSON.parse(ofSocket.text));
    expect(await callHandler(api.owner, call)).toEqual(ofSocket);

    const before = [...queue.changes, ...store.asked];
    const ofNetwork = await overNetwork(call);
    if (forbidden.includes(operation.id)) {
      expect(ofNetwork).toMatchObject({ status: 403, text: expect.stringContaining('"forbidden"') });
      expect([...queue.changes, ...store.asked]).toEqual(before);
    } else {
      expect(ofNetwork).toEqual(ofSocket);
    }
  });

  test('rejects an invalid request with the same problems over all transports', async () => {
    const { directory, overNetwork, api } = await served(token);
    for (const path of ['/v1/logs?limit=0', '/v1/metrics/..%2f..?x=1', '/v1/status?verbose=1']) {
      const ofSocket = await overSocket(directory, { method: 'GET', path });
      expect(ofSocket.status).toBe(400);
      expect(await overNetwork({ method: 'GET', path })).toEqual(ofSocket);
      expect(await callHandler(api.owner, { method: 'GET', path })).toEqual(ofSocket);
    }
  });

  test('streams the live tail over both transports', async () => {
    const { directory, url, headers } = await served(token);
    const path = '/v1/logs/tail?severity=error';
    const first = async (options: object) =>
      await new Promise<string>((resolve, reject) => {
        const request = httpRequest({ path, headers, ...options }, (response) => {
          let text = '';
          response.on('error', () => {});
          response.on('data', (chunk) => {
            text += String(chunk);
            if (!text.includes('event: log')) return;
            resolve(`${response.statusCode} ${response.headers['content-type']}\n${text}`);
            request.destroy();
          });
        });
        request.on('error', reject);
        request.end();
      });
    const ofSocket = await first({ socketPath: join(directory, 'control.sock') });
    const { hostname, port } = new URL(url('/'));
    expect(ofSocket).toContain('200 text/event-stream; charset=utf-8');
    expect(ofSocket).toContain('event: skipped');
    expect(await first({ hostname, port })).toBe(ofSocket);
  });
});

test('a guard rejects the network, and not the socket', async () => {
  const { url, directory } = await served(TOKEN);
  expect((await fetch(url('/v1/status'))).status).toBe(401);
  expect((await overSocket(directory, { method: 'GET', path: '/v1/status' })).status).toBe(200);
});

test('an operation that changes the queue needs a token or the owner', () => {
  const changing = OPERATIONS.filter(({ tag, method }) => /queue|dead letters/.test(tag) && method !== 'GET');
  const ofDeadLetters = ['replayDeadLetters', 'discardDeadLetters'];
  expect(changing.map(({ id }) => id).sort()).toEqual([...NEED_OWNER, ...ofDeadLetters].sort());
});

describe('a collector', () => {
  const handler = () =>
    collectorHandler({
      state: () => ({
        taps: new Taps(systemClock),
        sources: [
          {
            name: 'tail',
            status: () => ({ streams: [], lostBytes: 7 }),
            explain: async (path) => ({ kind: 'not-read', path, reason: 'no pattern matches it' }),
          },
        ],
        forget: async () => 1,
      }),
      clock: systemClock,
      logger: capturedLogger().logger,
    });

  const answering = COLLECTOR_OPERATIONS.filter(({ answer }) => typeof answer !== 'string');

  test.each(named(answering))(
    '%s is answered the same over the socket and in the process',
    async (_, operation) => {
      const handle = handler();
      const call = callOf(operation);
      const ofSocket = await overSocket(await controlled(handle), call);
      expect(ofSocket.status, ofSocket.text).toBe(200);
      expect(await callHandler(handle, call)).toEqual(ofSocket);
    },
  );

  test('answers nothing over the network', () => {
    expect(COLLECTOR_OPERATIONS.filter(({ access }) => access !== 'owner')).toEqual([]);
  });
});
