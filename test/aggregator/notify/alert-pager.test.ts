import { expect, it } from 'vitest';
import { alertPager } from '../../../src/aggregator/notify/alert-pager.ts';
import { alertDefinition } from '../../../src/monitoring/alert-definition.ts';
import { MemoryNotifier } from '../../support/memory-notifier.ts';

const definition = alertDefinition.parse({ id: 'busy', metric: 'traffic', level: 2, forSeconds: 30 });
const page = { alert: 'busy', segment: 'api' };

it('turns alerts into incidents', () => {
  const notifier = new MemoryNotifier();
  const pager = alertPager(notifier);
  pager.firing(page, { definition, observed: 2.71727374, sinceUnixMicro: 1_700_000_000_000_000 });
  expect(notifier.triggers).toEqual([
    {
      incident: 'alert:busy/api',
      details: {
        reason: 'avg of traffic over 60 s is 2.71727 (fires when > 2 for 30 s)',
        records: 0,
        bytes: 0,
        attempts: 0,
        sinceUnixNano: 1_700_000_000_000_000_000n,
      },
    },
  ]);
  pager.resolved(page);
  expect(notifier.resolves).toEqual(['alert:busy/api']);
});

it('reports an alert without data', () => {
  const notifier = new MemoryNotifier();
  alertPager(notifier).firing(
    { alert: 'busy', segment: null },
    { definition, observed: null, sinceUnixMicro: 0 },
  );
  expect(notifier.triggers[0]).toMatchObject({
    incident: 'alert:busy',
    details: { reason: 'avg of traffic over 60 s has no data (fires when > 2 for 30 s)' },
  });
});

it('lists open alerts, without the incidents of emitters', () => {
  const notifier = new MemoryNotifier();
  const pager = alertPager(notifier);
  notifier.trigger({ emitter: 'text', kind: 'queue' }, { reason: 'full', records: 0, bytes: 0, attempts: 0 });
  pager.firing(page, { definition, observed: 3, sinceUnixMicro: 0 });
  expect(pager.open()).toEqual([page]);
  pager.resolved(page);
  expect(pager.open()).toEqual([]);
});
