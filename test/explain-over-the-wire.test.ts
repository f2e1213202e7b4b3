import { writeFile } from 'node:fs/promises';
import { hostname } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it, vi } from 'vitest';
import { run } from '../src/cli/run.ts';
import { explainFile } from '../src/collector/operations.ts';
import { callProcess } from '../testkit/owner-status.ts';
import { capturedIo } from './support/captured-io.ts';
import { inProcessPair } from './support/in-process-pair.ts';
import { temporaryDirectory } from './support/temporary-directory.ts';

const PATIENT = { timeout: 20_000, interval: 20 };

/** A running pair with one followed file, and a request of its API. */
async function running(environment: Record<string, string> = {}) {
  const directory = await temporaryDirectory();
  const pair = await inProcessPair(directory);
  const file = join(directory, 'a.log.in');
  await writeFile(file, 'one\ntwo\n');
  await (await pair.createAggregator()).start();
  const collector = await pair.createCollector(environment);
  await collector.start();
  await collector.drained();
  const get = async (path: string) => {
    const answer = await fetch(`http://${pair.aggregatorHttp}/v1/${path}`);
    return { status: answer.status, body: (await answer.json()) as Record<string, unknown> };
  };
  const connected = async () => {
    const { collectors } = (await get('collectors')).body as {
      collectors: { id: string; explains: string }[];
    };
    const [first] = collectors;
    if (first === undefined) throw new Error('no collector is connected');
    return first;
  };
  const { id, explains } = await vi.waitFor(connected, PATIENT);
  const explain = (subject: string) => get(`collectors/${id}/explain?file=${encodeURIComponent(subject)}`);
  return { pair, directory, file, collector, id, explain, explains };
}

describe('an aggregator that asks a connected collector about a file', () => {
  it('gets what the command explain prints on the host of the collector', async () => {
    const { pair, file, explain, explains } = await running();
    expect(explains).toBe('offered');
    const here = await callProcess(pair.collectorState, explainFile, { query: { path: file } });
    expect(here).toMatchObject({ kind: 'followed', path: file, status: { acceptedBytes: 8 } });
    expect(await explain(file)).toEqual({ status: 200, body: here });
  });

  it('learns the same about other files, whether they exist or not', async () => {
    const { directory, explain } = await running();
    const existing = join(directory, 'private.txt');
    await writeFile(existing, 'secret\n');
    const missing = join(directory, 'missing.txt');
    expect([await explain(existing), await explain(missing)]).toEqual(
      [existing, missing].map((path) => ({
        status: 200,
        body: { kind: 'not-read', path, reason: 'no pattern matches it' },
      })),
    );
  });

  it('does not learn the working directory of the collector', async () => {
    const { explain } = await running();
    expect((await explain('a.log')).body).toEqual({
      ...{ kind: 'not-read', path: 'a.log', reason: 'it is not an absolute path' },
    });
  });

  it('is refused by COLLECTOR_REMOTE_EXPLAIN=0, also for followed files', async () => {
    const { file, explain, explains } = await running({ COLLECTOR_REMOTE_EXPLAIN: '0' });
    expect(explains).toBe('refused');
    expect(await explain(file)).toMatchObject({
      status: 409,
      body: { error: { message: expect.stringContaining('COLLECTOR_REMOTE_EXPLAIN is 0') } },
    });
  });

  it('gets an error after the collector has stopped', async () => {
    const { file, collector, explain } = await running();
    await collector.stop(AbortSignal.timeout(2_000));
    await vi.waitFor(
      async () =>
        expect(await explain(file)).toMatchObject({
          status: 409,
          body: { error: { message: expect.stringContaining('is not connected') } },
        }),
      PATIENT,
    );
  });
});

describe('mega-collector explain --collector', () => {
  it('prints how the collector on another host sees a file', async () => {
    const { pair, directory, file, id } = await running();
    const url = `http://${pair.aggregatorHttp}`;
    const explain = async (...args: readonly string[]) => {
      const { io, stdout, stderr } = capturedIo();
      const exitCode = await run(['explain', ...args, '--url', url], io);
      return { exitCode, stdout: stdout(), stderr: stderr() };
    };
    expect(await explain(file, '--collector', hostname())).toMatchObject({
      exitCode: 0,
      stdout: expect.stringMatching(/^file +.+a\.log\.in\n/),
    });
    expect(await explain(join(directory, 'b'), '--collector', id)).toMatchObject({
      stdout: expect.stringContaining('no pattern matches it'),
    });
    expect(await explain(file, '--collector', 'elsewhere')).toMatchObject({
      exitCode: 1,
      stderr: expect.stringContaining(
        `Cannot find the collector "elsewhere". The aggregator knows: ${hostname()}.`,
      ),
    });
  });
});
