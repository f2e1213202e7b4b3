import { expect, it } from 'vitest';
import { sql } from '../../src/logstore/sql/sql.ts';
import { alertDefinition } from '../../src/monitoring/alert-definition.ts';
import { metricDefinition } from '../../src/monitoring/metric-definition.ts';
import { FakeClock } from '../support/fake-clock.ts';
import { describeEachMonitorStore, WRITERS } from './monitor-store.ts';
import { pass, turnedMonitor, untilWaiting } from './turned-monitor.ts';

const NOW = 1_700_000_040_000;
const [WRITER] = WRITERS;
const METRIC = { id: 'traffic', periodSeconds: 1, endOffsetSeconds: 1, startOffsetSeconds: 600 };
const ALERT = { id: 'busy', metric: 'traffic', level: 2, windowSeconds: 4, checkSeconds: 1 };

describeEachMonitorStore('alerts', (open) => {
  async function setUp(metric: object = {}, alert: object = {}) {
    const store = await open();
    const clock = new FakeClock(NOW);
    const turned = turnedMonitor(store, clock);
    const { monitor } = turned;
    await monitor.createMetric(metricDefinition.parse({ ...METRIC, ...metric }));
    await monitor.createAlert(alertDefinition.parse({ ...ALERT, ...alert }));
    /** In each of the next seconds so many requests of a path, all with this size; each is checked before the next. */
    const traffic = async (seconds: number, requests: number, { path = '/a', bytes = 1 } = {}) => {
      for (let second = 0; second < seconds; second++) {
        const unixMs = Number(clock.nowUnixNano() / 1_000_000n) + 500;
        if (requests > 0) {
          await store.flush(
            WRITER,
            Array.from({ length: requests }, () => ({ unixMs, path, bytes })),
          );
        }
        await pass(clock, 1);
      }
    };
    const changes = async () =>
      (await monitor.alertHistory('busy', 100))
        .toReversed()
        .map(({ from, to, segment }) => `${segment === null ? '' : `${segment}: `}${from} -> ${to}`);
    const states = async () =>
      (await monitor.alertStatuses()).map(({ segment, state, observed }) => [segment, state, observed]);
    return { store, clock, ...turned, traffic, changes, states };
  }

  it('are created, listed and deleted', async () => {
    const { monitor } = await setUp();
    const definition = {
      ...ALERT,
      statistic: 'avg',
      comparison: '>',
      forSeconds: 0,
      noData: 'no-data',
      notify: true,
    };
    const report = { definition, createdAt: '2023-11-14T22:14:00.000Z', states: [] };
    expect(await monitor.alert('busy')).toEqual(report);
    expect(await monitor.alerts()).toEqual([report]);
    expect(await monitor.alertHistory('busy', 10)).toEqual([]);
    await expect(monitor.createAlert(alertDefinition.parse(ALERT))).rejects.toMatchObject({ kind: 'exists' });
    await monitor.deleteAlert('busy');
    await expect(monitor.deleteAlert('busy')).rejects.toMatchObject({ kind: 'not-found' });
    await expect(monitor.alert('busy')).rejects.toMatchObject({ kind: 'not-found' });
    await expect(monitor.alertHistory('busy', 1)).rejects.toMatchObject({ kind: 'not-found' });
  });

  it('require their metric, which cannot be deleted before them', async () => {
    const { monitor } = await setUp();
    const other = alertDefinition.parse({ ...ALERT, id: 'other', metric: 'nothing' });
    await expect(monitor.createAlert(other)).rejects.toMatchObject({ kind: 'invalid' });
    await expect(monitor.deleteMetric('traffic')).rejects.toMatchObject({
      kind: 'in-use',
      message: 'Cannot delete the metric traffic: the alert busy uses it. Delete the alert first.',
    });
    expect(await monitor.metrics()).toHaveLength(1);
    await monitor.deleteAlert('busy');
    await monitor.deleteMetric('traffic');
  });

  it('are rejected with a window of too many buckets', async () => {
    const { monitor } = await setUp();
    const long = alertDefinition.parse({ ...ALERT, id: 'long', windowSeconds: 10_001 });
    await expect(monitor.createAlert(long)).rejects.toMatchObject({ kind: 'invalid' });
  });

  it('fire once above the level, not at it, and recover, with a row and a page for each change', async () => {
    const { monitor, traffic, changes, states, pager } = await setUp();
    await monitor.start();
    await traffic(6, 2);
    expect(await states()).toEqual([[null, 'ok', 2]]);
    expect(await changes()).toEqual([]);
    await traffic(6, 3);
    expect(await states()).toEqual([[null, 'firing', 3]]);
    await traffic(6, 5);
    expect(pager.told).toEqual(['firing busy']);
    await traffic(6, 0);
    expect(await states()).toEqual([[null, 'ok', 0]]);
    await traffic(6, 3);
    await traffic(6, 2);
    expect(await changes()).toEqual(['ok -> firing', 'firing -> ok', 'ok -> firing', 'firing -> ok']);
    expect(pager.told).toEqual(['firing busy', 'resolved busy', 'firing busy', 'resolved busy']);
    const [newest] = await monitor.alertHistory('busy', 1);
    expect(newest).toMatchObject({
      alert: 'busy',
      segment: null,
      from: 'firing',
      to: 'ok',
      level: 2,
      comparison: '>',
    });
  });

  it('count seconds without records as zero in an average', async () => {
    const { monitor, traffic, changes, states } = await setUp({}, { windowSeconds: 10 });
    await monitor.start();
    await traffic(2, 0);
    await traffic(1, 11);
    await traffic(2, 0);
    expect(await states()).toEqual([[null, 'ok', 1.1]]);
    expect(await changes()).toEqual([]);
  });

  it.each([
    ['avg', 2.5],
    ['min', 0],
    ['max', 6],
    ['stddev', 3],
    ['variance', 9],
    ['p50', 2],
    ['p95', 5.7],
    ['count', 2],
  ])('%s of observations, some of them missing', async (statistic, expected) => {
    const { monitor, traffic } = await setUp({}, { statistic });
    await monitor.start();
    for (const requests of [0, 6, 4, 0, 0]) await traffic(1, requests);
    const [status] = await monitor.alertStatuses();
    expect(status?.observed).toBeCloseTo(expected, 9);
  });

  it('fill missing buckets only with fillMissing', async () => {
    const { monitor, traffic, states } = await setUp({}, { fillMissing: false });
    await monitor.start();
    for (const requests of [0, 6, 4, 0, 0]) await traffic(1, requests);
    expect(await states()).toEqual([[null, 'firing', 5]]);
  });

  it('wait until the condition is true for long enough, and start again when it becomes false', async () => {
    const { monitor, traffic, changes } = await setUp({}, { forSeconds: 5, windowSeconds: 1 });
    await monitor.start();
    await traffic(5, 3);
    await traffic(2, 1);
    await traffic(6, 3);
    expect((await monitor.alertStatuses())[0]).toMatchObject({
      state: 'ok',
      pendingSince: '2023-11-14T22:14:09.000Z',
    });
    expect(await changes()).toEqual([]);
    await traffic(1, 3);
    expect(await changes()).toEqual(['ok -> firing']);
    expect((await monitor.alertStatuses())[0]).toMatchObject({
      since: '2023-11-14T22:14:14.000Z',
      pendingSince: null,
    });
  });

  it.each([
    ['no-data', ['ok -> firing', 'firing -> no-data', 'no-data -> ok'], ['firing busy', 'resolved busy']],
    ['ok', ['ok -> firing', 'firing -> ok'], ['firing busy', 'resolved busy']],
    ['keep', ['ok -> firing', 'firing -> ok'], ['firing busy', 'resolved busy']],
    ['firing', ['ok -> firing', 'firing -> ok'], ['firing busy', 'resolved busy']],
  ])('without data follow the policy: %s', async (noData, expectedChanges, expectedPages) => {
    const metric = { statistic: 'avg', property: 'response_bsize' };
    const { monitor, store, traffic, changes, states, pager } = await setUp(metric, { noData, level: 10 });
    await store.flush(WRITER, [{ unixMs: NOW - 2000, bytes: 1 }]);
    await monitor.start();
    await traffic(4, 1);
    await traffic(4, 1, { bytes: 100 });
    await traffic(8, 0);
    expect(await states()).toEqual([[null, noData === 'keep' ? 'firing' : noData, null]]);
    await traffic(6, 1);
    expect(await changes()).toEqual(expectedChanges);
    expect(pager.told).toEqual(expectedPages);
  });

  it('fire for each segment separately, and remove segments without records', async () => {
    const metric = { segment: 'section(path)', statistic: 'max', property: 'response_bsize' };
    const { monitor, clock, traffic, changes, states, pager } = await setUp(metric, { level: 10 });
    await monitor.start();
    await traffic(2, 1, { path: '/quiet', bytes: 1 });
    await traffic(2, 1, { path: '/loud', bytes: 11 });
    expect(await states()).toEqual([
      ['loud', 'firing', 11],
      ['quiet', 'ok', 1],
    ]);
    expect(pager.told).toEqual(['firing busy/loud']);
    await traffic(6, 0);
    expect(await changes()).toEqual(
      expect.arrayContaining(['loud: ok -> firing', 'loud: firing -> no-data']),
    );
    expect(pager.told).toEqual(['firing busy/loud', 'resolved busy/loud']);
    expect(await states()).toEqual([
      ['loud', 'no-data', null],
      ['quiet', 'no-data', null],
    ]);
    clock.jumpWallClock(86_400_000);
    await pass(clock, 20);
    expect(await states()).toEqual([]);
  });

  it('report the end of a segment that is removed while it fires', async () => {
    const metric = { segment: 'section(path)' };
    const { monitor, clock, traffic, changes, pager } = await setUp(metric, {
      comparison: '<',
      level: 1,
      statistic: 'max',
    });
    await monitor.start();
    await traffic(3, 1);
    await traffic(8, 0);
    expect(await changes()).toEqual(['a: ok -> firing']);
    clock.jumpWallClock(86_400_000);
    await pass(clock, 20);
    expect(await changes()).toEqual(['a: ok -> firing', 'a: firing -> no-data']);
    expect(pager.told).toEqual(['firing busy/a', 'resolved busy/a']);
  });

  it('use late records in their window', async () => {
    const { monitor, store, clock, states } = await setUp({}, { windowSeconds: 100 });
    await monitor.start();
    await pass(clock, 20);
    expect(await states()).toEqual([[null, 'ok', 0]]);
    await store.flush(
      WRITER,
      Array.from({ length: 500 }, () => ({ unixMs: NOW - 30_000 })),
    );
    await pass(clock, 2);
    expect(await states()).toEqual([[null, 'firing', 5]]);
  });

  it('keep their state over a restart, page firing alerts again, and resolve them', async () => {
    const { monitor, store, clock, traffic, changes, pager } = await setUp();
    await monitor.start();
    await traffic(6, 3);
    await monitor.stop(new AbortController().signal);
    const again = turnedMonitor(store, clock, 'second');
    await again.monitor.start();
    await untilWaiting(clock);
    await pass(clock, 1);
    expect(again.pager.told).toEqual(['firing busy']);
    await traffic(6, 0);
    expect(again.pager.told).toEqual(['firing busy', 'resolved busy']);
    expect(await changes()).toEqual(['ok -> firing', 'firing -> ok']);
    expect(pager.told).toEqual(['firing busy']);
  });

  it('resolve the page of an alert that is deleted while it fires', async () => {
    const { monitor, traffic, pager, clock } = await setUp();
    await monitor.start();
    await traffic(6, 3);
    await monitor.deleteAlert('busy');
    expect(pager.told).toEqual(['firing busy', 'resolved busy']);
    await pass(clock, 10);
    expect(pager.told).toEqual(['firing busy', 'resolved busy']);
  });

  it('send no page with notify: false', async () => {
    const { monitor, traffic, pager, changes } = await setUp({}, { notify: false });
    await monitor.start();
    await traffic(6, 3);
    expect(await changes()).toEqual(['ok -> firing']);
    expect(pager.told).toEqual([]);
  });

  it('page a limited number of segments, those that fire longest', async () => {
    const { monitor, store, clock, pager, lines } = await setUp({ segment: 'url.path' }, { level: 0 });
    await monitor.start();
    await pass(clock, 3);
    const unixMs = NOW + 3500;
    await store.flush(
      WRITER,
      Array.from({ length: 150 }, (_, index) => ({ unixMs, path: `/${index}` })),
    );
    await pass(clock, 3);
    expect(pager.open()).toHaveLength(100);
    expect(lines).toContainEqual(expect.objectContaining({ alert: 'busy', segments: 150 }));
    await pass(clock, 6);
    expect(pager.open()).toEqual([]);
  });

  it('are reported if they cannot be checked, without delaying others', async () => {
    const { monitor, store, traffic, changes, lines } = await setUp();
    await store.query(sql`insert into alerts (id, definition, created_at) values ('broken', '[]', now())`);
    const orphan = JSON.stringify(alertDefinition.parse({ ...ALERT, id: 'orphan', metric: 'gone' }));
    await store.query(
      sql`insert into alerts (id, definition, created_at) values ('orphan', ${orphan}::text, now())`,
    );
    await monitor.start();
    await traffic(6, 3);
    expect(await changes()).toEqual(['ok -> firing']);
    expect((await monitor.alerts()).map(({ definition }) => definition.id)).toEqual(['busy', 'orphan']);
    expect(lines).toContainEqual(expect.objectContaining({ level: 50, id: 'broken' }));
    expect(lines).toContainEqual(expect.objectContaining({ level: 40, alert: 'orphan' }));
    await expect(monitor.alert('broken')).rejects.toMatchObject({ kind: 'invalid' });
  });
});
