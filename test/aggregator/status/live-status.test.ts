import { expect, test } from 'vitest';
import type { EmitterStatus } from '../../../src/aggregator/delivery/emitter-status.ts';
import { LiveStatus, type LiveStatusOptions } from '../../../src/aggregator/status/live-status.ts';
import { FakeClock } from '../../support/fake-clock.ts';

const AMOUNT = { records: 10, bytes: 100 };
const EMITTER: EmitterStatus = {
  emitter: 'file',
  state: 'delivering',
  failures: 0,
  oldestUndeliveredAgeMs: 1234,
};

function live(options: Partial<LiveStatusOptions> = {}) {
  const balance = { before: AMOUNT, deadLettered: AMOUNT, discarded: AMOUNT, filtered: AMOUNT };
  return new LiveStatus({
    queue: {
      balance: () => ({
        accepted: AMOUNT,
        emitters: [{ emitter: 'file', ...balance, queued: AMOUNT, delivered: AMOUNT }],
        diskBytes: 1,
      }),
      fullness: () => ({
        usedBytes: 5,
        maxBytes: 50,
        fraction: 0.1,
        msUntilFull: undefined,
        furthestBehind: undefined,
      }),
    },
    stateDirectory: '/state',
    emitters: () => [EMITTER],
    activity: () => ({
      collectors: { connected: 2, list: () => [] },
      streams: { count: 3, list: () => [] },
    }),
    health: () => ({ ready: true, late: [] }),
    notifier: () => ({ openIncidents: [], lastError: undefined }),
    pages: false,
    clock: new FakeClock(),
    fileSystem: { space: async () => ({ availableBytes: 7, totalBytes: 70 }) },
    ...options,
  });
}

test('reports a working aggregator', async () => {
  const { emitters, ...report } = await live().report();
  expect(emitters.get('file')).toEqual({ state: 'running', lagSeconds: 1.2, recordsPerSecond: 0 });
  expect(report).toEqual({
    intake: { recordsPerSecond: 0, bytesPerSecond: 0, collectors: 2, streams: 3 },
    disk: { path: '/state', usedBytes: 5, freeBytes: 7, limitBytes: 50 },
    health: { status: 'ok', problems: [] },
    pagerduty: { configured: false, openIncidents: [], lastError: null },
  });
});

test.each([
  ['idle', 'running'],
  ['retrying', 'retrying'],
  ['holding', 'holding'],
  ['failed', 'failed'],
  ['stopped', 'stopped'],
] as const)('an emitter that is %s is reported as %s, with its problem', async (state, reported) => {
  const { emitters } = await live({ emitters: () => [{ ...EMITTER, state, reason: 'no route' }] }).report();
  expect(emitters.get('file')).toMatchObject({ state: reported, problem: 'no route' });
});

test('reports what is wrong', async () => {
  const incident = { key: 'file/delivery', summary: 'no route', since: '2026-01-31T10:00:00.000Z' };
  const report = await live({
    health: () => ({
      ready: false,
      reason: 'the disk is full',
      late: [{ what: 'emitter file', ageSeconds: 61 }],
    }),
    notifier: () => ({ openIncidents: [incident], lastError: 'HTTP 500' }),
    pages: true,
    activity: () => undefined,
    fileSystem: { space: () => Promise.reject(new Error('EIO')) },
  }).report();
  expect(report.health).toEqual({
    status: 'degraded',
    problems: ['Not ready: the disk is full.', 'Late: emitter file, for 61 s.'],
  });
  expect(report.pagerduty).toEqual({ configured: true, openIncidents: [incident], lastError: 'HTTP 500' });
  expect(report.disk.freeBytes).toBeNull();
  expect(report.intake).toMatchObject({ collectors: 0, streams: 0 });
});
