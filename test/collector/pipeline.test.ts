import { join } from 'node:path';
import { describe, expect, it, vi } from 'vitest';
import { getCollectorStatus } from '../../src/collector/operations.ts';
import { openOfflineCollectorControl } from '../../src/collector/pipeline.ts';
import { systemClock } from '../../src/runtime/clock.ts';
import { ConfigurationError } from '../../src/runtime/configuration/configuration-error.ts';
import { callOpened, collectorStatus } from '../../testkit/owner-status.ts';
import { capturedLogger } from '../support/captured-logger.ts';
import { FebeClient } from '../support/febe-client.ts';
import { inProcessPair } from '../support/in-process-pair.ts';
import { submitServes } from '../support/served-standalone.ts';
import { temporaryDirectory } from '../support/temporary-directory.ts';

const PATIENT = { timeout: 20_000, interval: 20 };
const NO_FILES = '/no/such/file';

/** A pair whose collector has a serve database with one server; neither is running yet. */
async function servedPair() {
  const directory = await temporaryDirectory();
  const pair = await inProcessPair(directory);
  const path = join(directory, 'db.sock');
  await submitServes(directory, [{ i: 'db', p: path, t: 't.test' }]);
  const environment = { COLLECTOR_TAIL: NO_FILES, SERVE_DB_DIR: directory, LOGPLEX_URL: 'https://h/' };
  const status = () => collectorStatus(pair.collectorState);
  const untilWaiting = () =>
    vi.waitFor(async () => expect((await status()).waiting).toBeGreaterThan(0), PATIENT);
  return { pair, path, environment, status, untilWaiting };
}

describe('a collector with a serve database', () => {
  it('includes the streams of its journal in the status, running and stopped', async () => {
    const { pair, path, environment, status, untilWaiting } = await servedPair();
    const collector = await pair.createCollector(environment);
    await collector.start();
    const client = await FebeClient.greeted(path, 'db');
    await client.record('not delivered yet');
    const waiting = {
      read: expect.any(Number),
      accepted: 0,
      unread: 0,
      streams: [{ source: `${path} (db)`, accepted: 0, unread: 0 }],
    };
    await untilWaiting();
    expect(await status()).toMatchObject(waiting);
    expect(collector.health()).toEqual({ ready: true, late: [] });
    await collector.stop(AbortSignal.timeout(2_000));

    const { logger } = capturedLogger();
    const offline = await openOfflineCollectorControl(pair.collectorState, { logger, clock: systemClock });
    expect(await callOpened(offline, getCollectorStatus, { query: { verbose: true } })).toMatchObject(
      waiting,
    );
    await offline.close();

    await (await pair.createAggregator()).start();
    const again = await pair.createCollector(environment);
    await again.start();
    await again.drained();
    expect(await status()).toMatchObject({ waiting: 0, unread: 0, streams: [{ waiting: 0 }] });
  });

  it('logs unsent journal records when the serve database is no longer configured', async () => {
    const { pair, path, environment, untilWaiting } = await servedPair();
    const collector = await pair.createCollector(environment);
    await collector.start();
    await (await FebeClient.greeted(path, 'db')).record('left over');
    await untilWaiting();
    await collector.stop(AbortSignal.timeout(2_000));
    await (await pair.createCollector({ COLLECTOR_TAIL: NO_FILES })).start();
    expect(pair.collectorLog).toContainEqual(
      expect.objectContaining({ msg: expect.stringMatching(/set SERVE_DB_DIR again/) as string }),
    );
  });

  it('does not start without its directory, and names the variable', async () => {
    const { pair } = await servedPair();
    const collector = await pair.createCollector({ SERVE_DB_DIR: join(pair.directory, 'missing') });
    const error = await collector.start().catch((reason: unknown) => reason);
    expect(error).toBeInstanceOf(ConfigurationError);
    expect(error).toMatchObject({
      problems: [{ variable: 'SERVE_DB_DIR', message: expect.stringContaining('ENOENT') as string }],
    });
  });
});
