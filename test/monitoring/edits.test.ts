import { expect, it } from 'vitest';
import { alertDefinition } from '../../src/monitoring/alert-definition.ts';
import { silenceRequest } from '../../src/monitoring/alert-silence.ts';
import { logGroupDefinition } from '../../src/monitoring/log-group-definition.ts';
import { metricDefinition, pointsRequest } from '../../src/monitoring/metric-definition.ts';
import { alertPreviewRequest, metricPreviewRequest } from '../../src/monitoring/preview-definition.ts';
import { FakeClock } from '../support/fake-clock.ts';
import { describeEachMonitorStore, WRITERS } from './monitor-store.ts';
import { pass, turnedMonitor } from './turned-monitor.ts';

const NOW = 1_700_000_040_000;
const [WRITER] = WRITERS;
const METRIC = { id: 'traffic', periodSeconds: 1, endOffsetSeconds: 1, startOffsetSeconds: 600 };
const ALERT = { id: 'busy', metric: 'traffic', level: 2, windowSeconds: 2, checkSeconds: 1 };
const group = (expression: string) => logGroupDefinition.parse({ id: 'shop', expression });

describeEachMonitorStore('definitions that are edited', (open) => {
  async function setUp() {
    const store = await open();
    const clock = new FakeClock(NOW);
    const turned = turnedMonitor(store, clock);
    /** The requests of the next second; they are computed when it resolves. */
    const second = async (paths: readonly string[]) => {
      const unixMs = Number(clock.nowUnixNano() / 1_000_000n) + 500;
      if (paths.length > 0)
        await store.flush(
          WRITER,
          paths.map((path) => ({ unixMs, path, status: 200, bytes: 1 })),
        );
      await pass(clock, 1);
    };
    const values = async () =>
      (await turned.monitor.points('traffic', pointsRequest.parse({})))
        .toReversed()
        .map(({ value, segment }) => (segment === null ? value : `${segment} ${value}`));
    return { store, clock, second, values, ...turned };
  }

  it('a metric: the newest points are computed again, and other segments replace all points', async () => {
    const { monitor, second, clock, values } = await setUp();
    await monitor.start();
    await monitor.createMetric(metricDefinition.parse(METRIC));
    await second(['/a/1', '/a/2', '/b/1']);
    await pass(clock, 3);
    expect(await values()).toEqual([3]);
    const where = [{ property: 'section(url.path)', value: 'a' }];
    const filtered = await monitor.updateMetric(metricDefinition.parse({ ...METRIC, filter: { where } }));
    expect(filtered).toMatchObject({
      definition: { filter: { where } },
      changes: [
        'The points of the last 600 s are computed again. Older points keep the values of the earlier definition.',
      ],
    });
    await pass(clock, 3);
    expect(await values()).toEqual([2]);
    const { changes } = await monitor.updateMetric(
      metricDefinition.parse({ ...METRIC, segment: 'section(path)' }),
    );
    expect(changes).toEqual([
      '1 points are deleted, because they have other buckets or segments.',
      'The points of the last 600 s are computed again.',
    ]);
    await pass(clock, 3);
    expect((await values()).map(String).toSorted()).toEqual(['a 2', 'b 1']);
    const same = await monitor.updateMetric(metricDefinition.parse({ ...METRIC, segment: 'section(path)' }));
    expect(same.changes).toEqual([]);
    const missing = monitor.updateMetric(metricDefinition.parse({ ...METRIC, id: 'other' }));
    await expect(missing).rejects.toMatchObject({ kind: 'not-found' });
  });

  it('an alert: the next check has the new level, and the page of another metric is resolved', async () => {
    const { monitor, pager, second } = await setUp();
    await monitor.start();
    await monitor.createMetric(metricDefinition.parse(METRIC));
    await monitor.createMetric(metricDefinition.parse({ ...METRIC, id: 'quiet', filter: { text: 'none' } }));
    await monitor.createAlert(alertDefinition.parse({ ...ALERT, level: 100 }));
    for (let at = 0; at < 4; at++) await second(['/a', '/a', '/a', '/a']);
    expect(pager.told).toEqual([]);
    const { changes } = await monitor.updateAlert(alertDefinition.parse({ ...ALERT, level: 1 }));
    expect(changes).toEqual(['The states stay until the next check.']);
    for (let at = 0; at < 3; at++) await second(['/a', '/a', '/a', '/a']);
    expect(pager.told).toEqual(['firing busy']);
    await monitor.updateAlert(alertDefinition.parse({ ...ALERT, metric: 'quiet' }));
    expect(pager.told).toEqual(['firing busy', 'resolved busy']);
    const missing = monitor.updateAlert(alertDefinition.parse({ ...ALERT, metric: 'nothing' }));
    await expect(missing).rejects.toMatchObject({ kind: 'invalid' });
  });

  it('a silenced alert changes its state and pages nothing, until the silence ends', async () => {
    const { monitor, pager, second } = await setUp();
    await monitor.start();
    await monitor.createMetric(metricDefinition.parse(METRIC));
    await monitor.createAlert(alertDefinition.parse(ALERT));
    const silence = silenceRequest.parse({ until: '6s', reason: 'planned work', by: 'ann' });
    expect(await monitor.silenceAlert('busy', silence)).toEqual({
      until: new Date(NOW + 6000).toISOString(),
      reason: 'planned work',
      by: 'ann',
    });
    for (let at = 0; at < 5; at++) await second(['/a', '/a', '/a', '/a']);
    expect((await monitor.alert('busy')).silence).toMatchObject({ reason: 'planned work' });
    expect((await monitor.alertStatuses())[0]).toMatchObject({ state: 'firing' });
    expect(pager.told).toEqual([]);
    for (let at = 0; at < 3; at++) await second(['/a', '/a', '/a', '/a']);
    expect(pager.told).toEqual(['firing busy']);
    expect((await monitor.alert('busy')).silence).toBeUndefined();
  });

  it('a page that is open before the silence is resolved as usual', async () => {
    const { monitor, pager, second } = await setUp();
    await monitor.start();
    await monitor.createMetric(metricDefinition.parse(METRIC));
    await monitor.createAlert(alertDefinition.parse(ALERT));
    for (let at = 0; at < 4; at++) await second(['/a', '/a', '/a', '/a']);
    await monitor.silenceAlert('busy', silenceRequest.parse({ until: '1h' }));
    for (let at = 0; at < 2; at++) await second(['/a', '/a', '/a', '/a']);
    expect(pager.told).toEqual(['firing busy']);
    for (let at = 0; at < 4; at++) await second([]);
    expect(pager.told).toEqual(['firing busy', 'resolved busy']);
    await monitor.unsilenceAlert('busy');
    expect((await monitor.alert('busy')).silence).toBeUndefined();
    await expect(monitor.unsilenceAlert('nothing')).rejects.toMatchObject({ kind: 'not-found' });
    const past = monitor.silenceAlert('busy', silenceRequest.parse({ until: '2020-01-01T00:00:00Z' }));
    await expect(past).rejects.toMatchObject({ kind: 'invalid' });
  });

  it('a log group: its metrics are computed again, and it cannot be deleted before them', async () => {
    const { monitor, second, clock, values } = await setUp();
    await monitor.start();
    await monitor.createLogGroup(group('url.path == "/a"'));
    await expect(monitor.createLogGroup(group('true'))).rejects.toMatchObject({ kind: 'exists' });
    const filter = { where: [{ expression: 'group("shop") and status_code == 200' }] };
    await monitor.createMetric(metricDefinition.parse({ ...METRIC, filter }));
    await second(['/a', '/b', '/b']);
    await pass(clock, 3);
    expect(await values()).toEqual([1]);
    expect(await monitor.logGroup('shop')).toMatchObject({ usedBy: ['traffic'] });
    await expect(monitor.deleteLogGroup('shop')).rejects.toMatchObject({
      kind: 'in-use',
      message: 'Cannot delete the log group shop: the metric traffic uses it. Change the metric first.',
    });
    const edited = await monitor.updateLogGroup(group('url.path == "/b"'));
    expect(edited.changes).toHaveLength(1);
    await pass(clock, 3);
    expect(await values()).toEqual([2]);
    await monitor.deleteMetric('traffic');
    await monitor.deleteLogGroup('shop');
    expect(await monitor.logGroups()).toEqual([]);
    await expect(monitor.createMetric(metricDefinition.parse({ ...METRIC, filter }))).rejects.toMatchObject({
      kind: 'invalid',
      message: expect.stringContaining('there is no log group "shop"'),
    });
  });

  it('a preview has the points and changes that the definition would have had', async () => {
    const { monitor, store, second, clock } = await setUp();
    await monitor.start();
    await monitor.createMetric(metricDefinition.parse(METRIC));
    await monitor.createAlert(alertDefinition.parse({ ...ALERT, notify: false }));
    for (const requests of [1, 1, 5, 5, 0, 0]) await second(Array.from({ length: requests }, () => '/a'));
    await pass(clock, 4);
    const range = { from: new Date(NOW).toISOString(), to: new Date(NOW + 6000).toISOString() };
    const metric = metricDefinition.parse({ ...METRIC, id: 'planned' });
    const { points } = await monitor.previewMetric(
      metricPreviewRequest.parse({ definition: metric, ...range }),
    );
    expect(points.map(({ value }) => value)).toEqual([1, 1, 5, 5]);
    expect(points[0]).toEqual({ time: new Date(NOW).toISOString(), segment: null, value: 1 });
    const definition = alertDefinition.parse({ ...ALERT, id: 'planned' });
    const preview = await monitor.previewAlert(alertPreviewRequest.parse({ definition, ...range }));
    expect(preview.observations.map(({ value }) => value)).toEqual([0.5, 1, 3, 5, 2.5, 0]);
    expect(preview.changes.map(({ from, to, observed }) => [from, to, observed])).toEqual([
      ['ok', 'firing', 3],
      ['firing', 'ok', 0],
    ]);
    const really = (await monitor.alertHistory('busy', 10)).toReversed();
    expect(really.map(({ from, to }) => [from, to])).toEqual(
      preview.changes.map(({ from, to }) => [from, to]),
    );
    expect(
      await store.query({ parts: ["select * from metric_points where metric = 'planned'"], values: [] }),
    ).toEqual([]);
    const long = monitor.previewMetric(metricPreviewRequest.parse({ definition: metric, from: '3h' }));
    await expect(long).rejects.toMatchObject({ kind: 'invalid' });
  });
});

it('a log group with another log group is rejected', () => {
  const problems = logGroupDefinition.safeParse({ id: 'outer', expression: 'group("shop") or a == 1' }).error;
  expect(problems?.issues.map(({ message }) => message)).toEqual([
    'a log group cannot use another log group',
  ]);
});
