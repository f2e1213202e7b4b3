import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { Registry } from 'prom-client';
import { describe, expect, it, onTestFinished, vi } from 'vitest';
import { kubernetesConfiguration } from '../../../src/aggregator/kubernetes/kubernetes-configuration.ts';
import { KubernetesPods } from '../../../src/aggregator/kubernetes/kubernetes-pods.ts';
import { parseLookupTable } from '../../../src/filter-files/parse-lookup-table.ts';
import { systemClock } from '../../../src/runtime/clock.ts';
import { capturedLogger } from '../../support/captured-logger.ts';
import { CertificateAuthority } from '../../support/certificate-authority.ts';
import { inProcessPair } from '../../support/in-process-pair.ts';
import { type ApiPod, KubernetesServer } from '../../support/kubernetes-server.ts';
import { temporaryDirectory } from '../../support/temporary-directory.ts';

const WAIT = { timeout: 30_000, interval: 20 };

const pod = (name: string, labels: Record<string, string> = {}, owner?: object): ApiPod => ({
  metadata: {
    ...{ namespace: 'shop', name, uid: `uid-${name}`, labels },
    ...(owner !== undefined && { ownerReferences: [{ ...owner, controller: true }] }),
  },
});

async function watched(server: KubernetesServer, settings: object = {}) {
  const directory = join(await temporaryDirectory(), 'tables');
  const { logger, lines } = capturedLogger();
  const configuration = kubernetesConfiguration(
    JSON.stringify({
      ...{ server: `http://${server.address}`, token_file: server.tokenFile, labels: ['app'] },
      ...settings,
    }),
  );
  const onChange = vi.fn(async () => {});
  const pods = new KubernetesPods({
    ...{ configuration, directory, onChange, logger },
    ...{ clock: systemClock, metrics: new Registry() },
  });
  await pods.start();
  onTestFinished(() => pods.stop());
  const table = async () => {
    const parsed = parseLookupTable(
      'pods.csv',
      await readFile(join(directory, 'kubernetes-pods.csv'), 'utf8'),
    );
    if (typeof parsed === 'string') throw new Error(parsed);
    return parsed;
  };
  const valueIn = async (key: string, column = 'app') => {
    const { columns, rows } = await table();
    return rows.get(key)?.[columns.indexOf(column)];
  };
  return { pods, table, valueIn, onChange, lines };
}

describe('the table of pods', () => {
  it('has the pods of all pages by uid and by name, with labels and owners', async () => {
    const server = await KubernetesServer.start();
    const hash = { 'pod-template-hash': '5d8f', app: 'web' };
    server.put(pod('web-1', hash, { kind: 'ReplicaSet', name: 'web-5d8f' }));
    for (const name of ['a', 'b', 'c']) server.put(pod(name, { app: `app "${name}", quoted` }));
    const { table, valueIn } = await watched(server);
    expect((await table()).rows.size).toBe(8);
    expect(await valueIn('uid-web-1')).toBe('web');
    expect(await valueIn('shop/web-1', 'k8s.deployment.name')).toBe('web');
    expect(await valueIn('uid-web-1', 'k8s.replicaset.name')).toBe('web-5d8f');
    expect(JSON.parse((await valueIn('uid-web-1', 'labels')) ?? '')).toEqual(hash);
    expect(await valueIn('shop/b')).toBe('app "b", quoted');
    expect(server.requests.filter(({ url }) => !url.includes('watch'))).toHaveLength(2);
    expect(server.requests[0]?.accept).toContain('as=PartialObjectMetadataList');
  });

  it('follows changes, and keeps the rows of a deleted pod', async () => {
    const server = await KubernetesServer.start();
    server.put(pod('a', { app: 'first' }));
    const { valueIn, onChange } = await watched(server);
    await vi.waitUntil(() => server.watches === 1, WAIT);
    server.put(pod('a', { app: 'second' }));
    server.put(pod('b', { app: 'other' }));
    server.delete('uid-a');
    await vi.waitFor(async () => expect(await valueIn('uid-b')).toBe('other'), WAIT);
    expect(await valueIn('uid-a')).toBe('second');
    expect(onChange.mock.calls.length).toBeLessThan(4);
  });

  it('continues after a lost connection, with the changes since then', async () => {
    const server = await KubernetesServer.start();
    const { valueIn } = await watched(server);
    await vi.waitUntil(() => server.watches === 1, WAIT);
    server.cut();
    server.put(pod('a', { app: 'late' }));
    await vi.waitFor(async () => expect(await valueIn('uid-a')).toBe('late'), WAIT);
  });

  it('lists again when the server does not have the changes any more', async () => {
    const server = await KubernetesServer.start();
    server.put(pod('a', { app: 'old' }));
    const { valueIn } = await watched(server);
    await vi.waitUntil(() => server.watches === 1, WAIT);
    server.cut();
    server.put(pod('a', { app: 'new' }));
    server.expire();
    await vi.waitFor(async () => expect(await valueIn('uid-a')).toBe('new'), WAIT);
  });

  it('reads a new token, after the server rejects the old one', async () => {
    const server = await KubernetesServer.start();
    const { valueIn, lines } = await watched(server);
    await vi.waitUntil(() => server.watches === 1, WAIT);
    await server.changeToken('token-2');
    server.cut();
    server.put(pod('a', { app: 'found' }));
    await vi.waitFor(async () => expect(await valueIn('uid-a')).toBe('found'), WAIT);
    expect(JSON.stringify(lines)).not.toContain('token-');
  });

  it('names the reason when the server refuses, and starts without it', async () => {
    const server = await KubernetesServer.start();
    const stale = join(await temporaryDirectory(), 'token');
    await writeFile(stale, 'wrong');
    const { lines } = await watched(server, { token_file: stale });
    expect(lines).toContainEqual(
      expect.objectContaining({ reason: 'the server answers 401: Unauthorized', level: 40 }),
    );
  });

  it('survives a server that sends anything', async () => {
    const server = await KubernetesServer.start();
    const { valueIn } = await watched(server);
    for (const text of [
      '{"type":',
      'null\n',
      '[1]\n',
      '{"type":"ADDED","object":{"metadata":{}}}\n',
      '\xff\n',
    ]) {
      await vi.waitUntil(() => server.watches === 1, WAIT);
      server.send(text);
      server.cut();
    }
    server.put(pod('a', { app: 'still' }));
    await vi.waitFor(async () => expect(await valueIn('uid-a')).toBe('still'), WAIT);
  }, 60_000);

  it('verifies the certificate of the server', async () => {
    const authority = await CertificateAuthority.create();
    const server = await KubernetesServer.start(await authority.issue({ name: 'localhost' }));
    server.put(pod('a', { app: 'secure' }));
    const directory = await temporaryDirectory();
    const [own, other] = [join(directory, 'own.crt'), join(directory, 'other.crt')];
    await writeFile(own, authority.certificate);
    await writeFile(other, (await CertificateAuthority.create('Other')).certificate);
    const address = `https://localhost:${server.address.split(':')[1]}`;
    const { valueIn } = await watched(server, { server: address, ca_file: own });
    expect(await valueIn('uid-a')).toBe('secure');
    const { lines } = await watched(server, { server: address, ca_file: other });
    expect(JSON.stringify(lines)).toMatch(/self-signed|unable to verify|certificate/);
  });
});

describe('the configuration', () => {
  it.each([
    ['{"server": "http://kubernetes.default.svc"}', 'http:// only on the same machine'],
    ['{"labels": ["a b"]}', 'the name of a label'],
    ['{"labels": ["labels"]}', 'other names than those of the columns'],
    ['{"label": ["app"]}', 'label'],
  ])('rejects %s', (text, reason) => {
    const problem = (() => {
      try {
        return kubernetesConfiguration(text);
      } catch (error) {
        return JSON.stringify(error);
      }
    })();
    expect(problem).toContain(reason);
  });
});

it('gives the records of a pod its labels, also labels that change', async () => {
  const server = await KubernetesServer.start();
  server.put(pod('web-1', { app: 'web' }));
  const directory = await temporaryDirectory();
  const filters = join(directory, 'filters');
  await mkdir(filters);
  await writeFile(
    join(filters, 'default.filter'),
    `app := lookup("kubernetes-pods.csv", resource("k8s.pod.uid"), "app", default = "none")\n`,
  );
  const pair = await inProcessPair(directory);
  const aggregator = await pair.createAggregator({
    AGGREGATOR_FILTER_DIRECTORY: filters,
    AGGREGATOR_KUBERNETES_CONFIGURATION: JSON.stringify({
      ...{ server: `http://${server.address}`, token_file: server.tokenFile, labels: ['app'] },
    }),
    AGGREGATOR_FILE_CONFIGURATION: JSON.stringify({ path: pair.outputPath, format: 'json' }),
  });
  await aggregator.start();
  onTestFinished(() => aggregator.stop(AbortSignal.timeout(5_000)));
  const log = join(directory, 'pods/shop_web-1_uid-web-1/web/0.log');
  await mkdir(join(log, '..'), { recursive: true });
  const line = (text: string) => `2026-11-28T10:00:00.000000000Z stdout F ${text}\n`;
  await writeFile(log, line('first'));
  const collector = await pair.createCollector({
    COLLECTOR_TAIL_CONFIGURATION: JSON.stringify([
      { paths: [join(directory, 'pods/*/*/*.log')], format: 'cri' },
    ]),
  });
  await collector.start();
  onTestFinished(() => collector.stop(AbortSignal.timeout(5_000)));
  const apps = async () =>
    (await readFile(pair.outputPath, 'utf8').catch(() => ''))
      .split('\n')
      .filter((text) => text !== '')
      .map((text) => JSON.parse(text) as { body: string; attributes?: { app?: string } })
      .map(({ body, attributes }) => `${body} ${attributes?.app}`);
  await vi.waitFor(async () => expect(await apps()).toContain('first web'), WAIT);
  server.put(pod('web-1', { app: 'shop' }));
  let count = 0;
  await vi.waitFor(
    async () => {
      await writeFile(log, line(`more ${count++}`), { flag: 'a' });
      expect((await apps()).at(-1)).toMatch(/^more \d+ shop$/);
    },
    { ...WAIT, interval: 300 },
  );
}, 60_000);
