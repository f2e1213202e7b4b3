import { expect, it, onTestFinished } from 'vitest';
import { lateAlerts } from '../../src/aggregator/late-alerts.ts';
import { SqlError } from '../../src/logstore/sql/sql-database.ts';
import { alertDefinition } from '../../src/monitoring/alert-definition.ts';
import { metricDefinition } from '../../src/monitoring/metric-definition.ts';
import { formatAddress } from '../../src/runtime/configuration/address.ts';
import { HttpServer } from '../../src/runtime/http/http-server.ts';
import { createMetrics } from '../../src/runtime/metrics.ts';
import { describeEachMonitorStore } from '../monitoring/monitor-store.ts';
import { pass, turnedMonitor } from '../monitoring/turned-monitor.ts';
import { capturedLogger } from '../support/captured-logger.ts';
import { FakeClock } from '../support/fake-clock.ts';

describeEachMonitorStore('/health/progress', (open) => {
  it('shows an alert that cannot be checked, until it can be checked', async () => {
    const store = await open();
    const clock = new FakeClock(1_700_000_040_000);
    const { monitor } = turnedMonitor(store, clock);
    const server = new HttpServer({
      address: { host: '127.0.0.1', port: 0 },
      metrics: createMetrics({ prefix: 'aggregator_', version: '1.2.3' }),
      health: () => ({ ready: true, late: lateAlerts(monitor.evaluationProblems, clock.nowUnixNano()) }),
      logger: capturedLogger().logger,
    });
    await server.start();
    onTestFinished(() => server.stop(AbortSignal.abort()));
    const { address } = server;
    if (address === undefined) throw new Error('not listening');
    const progress = async () => {
      const response = await fetch(`http://${formatAddress(address)}/health/progress`);
      return [response.status, await response.json()];
    };

    await monitor.start();
    await monitor.createMetric(metricDefinition.parse({ id: 'hits', statistic: 'count', periodSeconds: 1 }));
    await monitor.createAlert(
      alertDefinition.parse({ id: 'busy', metric: 'hits', level: 2, checkSeconds: 1 }),
    );
    await pass(clock, 5);
    expect(await progress()).toEqual([200, { late: [] }]);
    store.beforeStatement = () => Promise.reject(new SqlError('unavailable', 'the disk is gone'));
    await pass(clock, 80);
    expect(await progress()).toEqual([
      503,
      { late: [{ what: 'alert busy', ageSeconds: expect.any(Number) }] },
    ]);
    store.beforeStatement = () => Promise.resolve();
    await pass(clock, 60);
    expect(await progress()).toEqual([200, { late: [] }]);
  });
});
