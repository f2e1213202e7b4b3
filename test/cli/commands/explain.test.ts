import { describe, expect, test } from 'vitest';
import { run } from '../../../src/cli/run.ts';
import { capturedIo } from '../../support/captured-io.ts';
import { FakeAggregator } from '../monitor/fake-aggregator.ts';

const FILE = '/var/log/app.log';

function collector(id: string, connected: boolean) {
  const at = '2026-01-31T10:00:00.000Z';
  return {
    ...{ id, host: 'web-1', version: '0.1.0', address: '10.0.0.1:1', connected, since: at, lastSeen: at },
    ...{ acceptedBytes: 0, explains: 'offered', reports: false, streams: 0, lagBytes: 0, queuedBytes: 0 },
    ...{ waitingRecords: 0, lostRecords: 0, lostBytes: 0, listeners: [], problems: [] },
  };
}

async function explain(name: string, collectors: readonly object[]) {
  const answer = { json: { kind: 'not-read', path: FILE, reason: 'no pattern matches it' } };
  const aggregator = await FakeAggregator.start({
    'GET /v1/collectors': { json: { collectors } },
    'GET /v1/collectors/a1/explain': answer,
    'GET /v1/collectors/b2/explain': answer,
  });
  const { io, stdout, stderr } = capturedIo();
  const exitCode = await run(['explain', FILE, '--collector', name, '--url', aggregator.url], io);
  const explained = aggregator.requests.map(({ route }) => route).filter((route) => /explain/.test(route));
  return { exitCode, stdout: stdout(), stderr: stderr().replace(/\s+/g, ' '), explained };
}

describe('explain --collector', () => {
  test.each([[[true, true]], [[false, false]]])(
    'lists the ids of several collectors of a host, connected: %j',
    async ([first = false, second = false]) => {
      const result = await explain('web-1', [collector('a1', first), collector('b2', second)]);
      expect(result).toMatchObject({ exitCode: 1, explained: [] });
      expect(result.stderr).toContain(
        '2 have the host "web-1". Set --collector to one of their ids: a1, b2.',
      );
    },
  );

  test('requests the one that is connected, among those of a host', async () => {
    const result = await explain('web-1', [collector('a1', false), collector('b2', true)]);
    expect(result).toMatchObject({ exitCode: 0, explained: ['GET /v1/collectors/b2/explain'] });
    expect(result.stdout).toContain('no pattern matches it');
  });

  test('accepts an id', async () => {
    const result = await explain('b2', [collector('a1', true), collector('b2', true)]);
    expect(result).toMatchObject({ exitCode: 0, explained: ['GET /v1/collectors/b2/explain'] });
  });

  test('reports the hosts that it knows for an unknown one', async () => {
    const result = await explain('web-2', [collector('a1', true)]);
    expect(result).toMatchObject({ exitCode: 1, explained: [] });
    expect(result.stderr).toContain('Cannot find the collector "web-2". The aggregator knows: web-1.');
  });
});
