import { describe, expect, it, vi } from 'vitest';
import { freePort } from '../../../../testkit/free-ports.ts';
import { productIsBuilt } from '../../../../testkit/product.ts';
import { startedPair } from '../../../support/processes.ts';

const PATIENT = { timeout: 60_000, interval: 100 };

describe.skipIf(!productIsBuilt())('two stages with a store', { timeout: 120_000 }, () => {
  it('finds the records of each protocol by names of OpenTelemetry', async () => {
    const port = await freePort();
    const { aggregatorHttp } = await startedPair({
      emitters: {},
      collectorEnv: { COLLECTOR_HTTP: `http://127.0.0.1:${port}` },
    });
    const post = async (path: string, type: string, body: string) => {
      const response = await fetch(`http://127.0.0.1:${port}${path}`, {
        method: 'POST',
        headers: { 'content-type': type },
        body,
      });
      expect(response.status).toBeLessThan(300);
    };
    await post('/v1/push?host.name=web1', 'text/plain', 'lines: paid');
    const values = [[`${Date.now()}000000`, 'loki: paid']];
    const streams = [{ stream: { hostname: 'web1', namespace: 'shop' }, values }];
    await post('/loki/api/v1/push', 'application/json', JSON.stringify({ streams }));
    const document = { message: 'elasticsearch: paid', host: { name: 'web1' }, log: { level: 'error' } };
    await post('/shop/_bulk', 'application/x-ndjson', `{"create":{}}\n${JSON.stringify(document)}\n`);
    await post(
      '/services/collector/event',
      'application/json',
      '{"event":"splunk: paid","host":"web1","sourcetype":"shop"}',
    );
    const found = async (where: string): Promise<readonly string[]> => {
      const query = new URLSearchParams({ where });
      const response = await fetch(`http://${aggregatorHttp}/v1/logs?${query.toString()}`);
      const text = await response.text();
      return [...text.matchAll(/"(\w+): paid"/g)].map(([, name]) => name ?? '').toSorted();
    };
    await vi.waitFor(
      async () =>
        expect(await found('host.name = "web1"')).toEqual(['elasticsearch', 'lines', 'loki', 'splunk']),
      PATIENT,
    );
    expect(await found('k8s.namespace.name = "shop"')).toEqual(['loki']);
    expect(await found('elasticsearch.index = "shop" and severity >= error')).toEqual(['elasticsearch']);
    expect(await found('com.splunk.sourcetype = "shop"')).toEqual(['splunk']);
  });
});
