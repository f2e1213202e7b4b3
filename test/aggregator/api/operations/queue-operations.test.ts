import { expect, test } from 'vitest';
import type { LiveReport } from '../../../../src/aggregator/api/operations/live-reports.ts';
import { aggregatorStatusReport } from '../../../../src/aggregator/api/operations/queue-reports.ts';
import { servedApi } from '../served-api.ts';

const LIVE: LiveReport = {
  emitters: new Map([
    [
      'file',
      { state: 'retrying', lagSeconds: 61.5, recordsPerSecond: 10, catchUpSeconds: 30, problem: 'no route' },
    ],
  ]),
  intake: { recordsPerSecond: 1, bytesPerSecond: 2, collectors: 3, streams: 4 },
  disk: { path: '/state', usedBytes: 1, freeBytes: null, limitBytes: 3 },
  health: { status: 'degraded', problems: ['Late: emitter file, for 61 s.'] },
  pagerduty: { configured: true, openIncidents: [], lastError: 'HTTP 500' },
};

test('the status of a running aggregator has its balance and what it does now', async () => {
  const { ask, queue } = await servedApi({ live: async () => LIVE });
  const { body } = await ask('/v1/status');
  const { emitters: ofEmitters, ...live } = LIVE;
  const { accepted, emitters, diskBytes } = queue.balance();
  expect(body).toEqual({
    role: 'aggregator',
    accepted,
    diskBytes,
    emitters: emitters.map((balance) => ({ ...balance, ...ofEmitters.get(balance.emitter) })),
    ...live,
  });
  expect(aggregatorStatusReport.parse(body)).toEqual(body);
});

test('the status without a running aggregator is the balance', async () => {
  const { ask, queue } = await servedApi();
  expect((await ask('/v1/status')).body).toEqual({ role: 'aggregator', ...queue.balance() });
});
