import { describe, expect, test } from 'vitest';
import type { IntakeActivity } from '../../../../src/aggregator/api/operations/intake-operations.ts';
import {
  CollectorRegister,
  type ConnectingCollector,
  type ExplainResult,
} from '../../../../src/aggregator/intake/activity/collector-register.ts';
import { StreamRegister } from '../../../../src/aggregator/intake/activity/stream-register.ts';
import { FakeClock } from '../../../support/fake-clock.ts';
import { recordBatch } from '../../../support/record-batches.ts';
import { servedApi } from '../served-api.ts';

const TIME = expect.stringMatching(/^\d{4}-\d\d-\d\dT[\d:.]+Z$/);

function activity() {
  const clock = new FakeClock();
  const collectors = new CollectorRegister(clock);
  const streams = new StreamRegister(clock);
  const found: IntakeActivity = { collectors, streams, acceptedBytes: () => 2 ** 40 };
  return { collectors, streams, activity: () => found };
}

test('collectors are listed with what they report, numbers as numbers', async () => {
  const { collectors, activity: of } = activity();
  const { ask } = await servedApi({ activity: of });
  const connection = collectors.connect({
    id: 'aa',
    host: 'web-1',
    software: 'mega-collector/1.2.3',
    address: '10.0.0.1:5000',
  });
  collectors.accepted('aa', 123);
  connection.report({
    lagBytes: 2n ** 40n,
    queuedBytes: 5n,
    lostBytes: 6n,
    streams: 7,
    listeners: [
      {
        name: 'udp://0.0.0.0:514',
        address: '0.0.0.0:514',
        protocol: 'udp',
        clients: 3,
        records: 10n,
        bytes: 2n ** 41n,
        dropped: 1n,
        kernelDropped: 2n,
        senders: [{ address: '10.0.0.9', sockets: 1 }],
      },
    ],
    omittedListeners: 4,
    problems: ['the disk is full'],
  });
  const { status, body } = await ask('/v1/collectors');
  expect(status).toBe(200);
  expect(body).toEqual({
    collectors: [
      {
        id: 'aa',
        host: 'web-1',
        version: '1.2.3',
        address: '10.0.0.1:5000',
        connected: true,
        since: TIME,
        lastSeen: TIME,
        acceptedBytes: 123,
        explains: 'unsupported',
        reports: true,
        streams: 7,
        lagBytes: 2 ** 40,
        queuedBytes: 5,
        lostBytes: 6,
        listeners: [
          {
            name: 'udp://0.0.0.0:514',
            address: '0.0.0.0:514',
            protocol: 'udp',
            clients: 3,
            records: 10,
            bytes: 2 ** 41,
            dropped: 1,
            kernelDropped: 2,
            senders: [{ address: '10.0.0.9', sockets: 1 }],
          },
        ],
        problems: ['the disk is full', '4 more listeners are not shown'],
      },
    ],
  });
});

test('a collector of version 0.1.0 is listed without a report', async () => {
  const { collectors, activity: of } = activity();
  const { ask } = await servedApi({ activity: of });
  collectors
    .connect({ id: 'aa', host: 'web-1', software: 'mega-collector/0.1.0', address: '10.0.0.1:1' })
    .ended();
  expect((await ask('/v1/collectors')).body).toMatchObject({
    collectors: [{ version: '0.1.0', connected: false, reports: false, listeners: [], problems: [] }],
  });
});

describe('a collector that is asked about a file', () => {
  const asked = async (more: Partial<ConnectingCollector>, file = '/var/log/a b.log') => {
    const { collectors, activity: of } = activity();
    const { ask } = await servedApi({ activity: of });
    const software = 'mega-collector/1.2.3';
    collectors.connect({ id: 'aa', host: 'web-1', software, address: '10.0.0.1:1', ...more });
    return ask(`/v1/collectors/aa/explain?file=${encodeURIComponent(file)}`);
  };
  const answering = (result: ExplainResult) =>
    ({ explains: 'offered', explain: async () => result }) as const;

  test('answers with its explanation as it is', async () => {
    const subjects: string[] = [];
    const explain = async (subject: string): Promise<ExplainResult> => {
      subjects.push(subject);
      return { kind: 'explained', json: '{"kind":"of a later version","more":[1]}' };
    };
    expect(await asked({ explains: 'offered', explain })).toMatchObject({
      status: 200,
      body: { kind: 'of a later version', more: [1] },
    });
    expect(subjects).toEqual(['/var/log/a b.log']);
  });

  test.each<[string, Partial<ConnectingCollector>, number, string]>([
    [
      'of version 0.1.0 is named',
      { software: 'mega-collector/0.1.0' },
      409,
      'on web-1 (mega-collector/0.1.0) is of a version',
    ],
    ['that refuses is named', { explains: 'refused' }, 409, 'on web-1 does not explain files'],
    [
      'that refuses this file gives its reason',
      answering({ kind: 'refused', reason: 'Because.' }),
      409,
      'Because.',
    ],
    ['answers one request at a time', answering({ kind: 'busy' }), 429, 'answering another request'],
    ['may not answer in time', answering({ kind: 'timed-out' }), 504, 'did not answer in time'],
    ['may disconnect meanwhile', answering({ kind: 'disconnected' }), 409, 'is not connected'],
    [
      'may answer with something else',
      answering({ kind: 'explained', json: '[]' }),
      409,
      'not a JSON object',
    ],
    [
      'may answer with bytes that are no JSON',
      answering({ kind: 'explained', json: '{' }),
      409,
      'not a JSON object',
    ],
  ])('%s', async (_, more, status, message) => {
    expect(await asked(more)).toMatchObject({
      status,
      body: { error: { message: expect.stringContaining(message) } },
    });
  });

  test('must have connected, and needs a file', async () => {
    const { activity: of } = activity();
    const { ask } = await servedApi({ activity: of });
    expect((await ask('/v1/collectors/bb/explain?file=/a.log')).status).toBe(404);
    expect((await ask('/v1/collectors/bb/explain')).status).toBe(400);
    expect((await asked({}, `/${'x'.repeat(4096)}`)).status).toBe(400);
  });
});

test('streams are listed with the bytes that the ledger has', async () => {
  const { streams, activity: of } = activity();
  const { ask } = await servedApi({ activity: of });
  const batches = [recordBatch(['one\n']), recordBatch(['two\n']), recordBatch(['three\n'])];
  for (const [at, batch] of batches.entries()) streams.accepted(batch, at === 0 ? 'aa' : 'bb');
  expect((await ask('/v1/streams?limit=2')).body).toMatchObject({
    streams: [{ stream: batches[2]?.stream }, { stream: batches[1]?.stream }],
  });
  expect((await ask('/v1/streams?collector=aa')).body).toEqual({
    streams: [
      {
        stream: batches[0]?.stream,
        collector: 'aa',
        resource: Object.fromEntries(batches[0]?.resource ?? []),
        format: batches[0]?.format,
        acceptedBytes: 2 ** 40,
        records: 1,
        lastSeen: TIME,
      },
    ],
  });
  expect((await ask('/v1/streams?limit=1001')).status).toBe(400);
});

test('an aggregator that is starting has no collectors and no streams', async () => {
  const { ask } = await servedApi({ activity: () => undefined });
  expect((await ask('/v1/collectors')).body).toEqual({ collectors: [] });
  expect((await ask('/v1/streams')).body).toEqual({ streams: [] });
});
