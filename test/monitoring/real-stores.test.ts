import { expect, it, onTestFinished, vi } from 'vitest';
import { alertDefinition } from '../../src/monitoring/alert-definition.ts';
import { createMonitor } from '../../src/monitoring/create-monitor.ts';
import { metricDefinition, pointsRequest } from '../../src/monitoring/metric-definition.ts';
import { systemClock } from '../../src/runtime/clock.ts';
import { capturedLogger } from '../support/captured-logger.ts';
import { recordBatch } from '../support/record-batches.ts';
import { describeEachStore } from '../support/stores.ts';
import { MemoryPager } from './turned-monitor.ts';

const MONTHS = ['Jan', 'Feb', 'Mar', 'Apr', 'May', 'Jun', 'Jul', 'Aug', 'Sep', 'Oct', 'Nov', 'Dec'];

function accessLogTime(unixMs: number): string {
  const [, year, month, day, time] = /^(\d+)-(\d+)-(\d+)T([\d:]+)/.exec(new Date(unixMs).toISOString()) ?? [];
  return `${day}/${MONTHS[Number(month) - 1]}/${year}:${time} +0000`;
}

/** What the suites over bare tables cannot tell: that the stores themselves, in real time, take all these statements. */
describeEachStore('the monitor', (openStore) => {
  it('sends a page for lines of an access log', async () => {
    const store = await openStore();
    const { database } = store;
    const pager = new MemoryPager();
    const { logger, lines } = capturedLogger();
    const monitor = createMonitor({ database, clock: systemClock, logger, pager, holder: 'one' });
    onTestFinished(() => monitor.stop(AbortSignal.timeout(5000)));
    await monitor.start();
    await monitor.createDefaults();
    const slow = {
      id: 'slow',
      statistic: 'p95',
      property: 'response_bsize',
      periodSeconds: 1,
      segment: 'status_code',
    };
    const filter = { text: 'get', where: [{ property: 'request_method', value: 'GET' }], host: 'test-host' };
    await monitor.createMetric(metricDefinition.parse({ ...slow, filter, endOffsetSeconds: 1 }));
    await monitor.createAlert(
      alertDefinition.parse({ id: 'big', metric: 'slow', level: 100, windowSeconds: 30 }),
    );

    const unixMs = Date.now() - 3000;
    const line = (path: string, status: number, bytes: number) =>
      `10.0.0.1 - - [${accessLogTime(unixMs)}] "GET ${path} HTTP/1.1" ${status} ${bytes} "-" "test"\n`;
    const records = Array.from({ length: 2000 }, (_, index) => line(`/api/${index}`, 200, index % 100));
    const observedTimeUnixNano = BigInt(unixMs) * 1_000_000n;
    const batch = recordBatch([...records, line('/', 500, 5000)], {
      format: 'combined',
      observedTimeUnixNano,
    });
    await store.write([batch]);

    const pointsOf = (id: string) => monitor.points(id, pointsRequest.parse({}));
    const patience = { timeout: 25_000, interval: 100 };
    await vi.waitFor(async () => {
      expect(await pointsOf('total_traffic')).toMatchObject([{ value: 2001, count: 2001, segment: null }]);
      const slowest = await pointsOf('slow');
      expect(slowest.map(({ segment, value }) => [segment, Math.round(value ?? 0)])).toEqual([
        ['200', 94],
        ['500', 5000],
      ]);
      expect(pager.told).toEqual(expect.arrayContaining(['firing totaltraffic', 'firing big/500']));
    }, patience);
    const statuses = await monitor.alertStatuses();
    expect(statuses.find(({ alert }) => alert === 'totaltraffic')).toMatchObject({
      state: 'firing',
      level: 10,
    });
    expect(await monitor.alertHistory('big', 10)).toMatchObject([
      { segment: '500', to: 'firing', observed: 5000 },
    ]);

    await monitor.deleteAlert('big');
    expect(pager.told.at(-1)).toBe('resolved big/500');
    await expect(monitor.deleteMetric('total_traffic')).rejects.toMatchObject({ kind: 'in-use' });
    await monitor.deleteMetric('slow');
    expect(lines.filter(({ level }) => level >= 40)).toEqual([]);
  }, 60_000);
});
