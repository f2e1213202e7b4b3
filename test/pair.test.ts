import { appendFile, readFile, rename, truncate, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { Registry } from 'prom-client';
import { describe, expect, it, onTestFinished, vi } from 'vitest';
import { forgetEmitter, getStatus } from '../src/aggregator/api/operations/queue-operations.ts';
import { openOfflineAggregatorControl } from '../src/aggregator/offline-control.ts';
import { explainFile, forgetFile, getCollectorStatus } from '../src/collector/operations.ts';
import { openOfflineCollectorControl } from '../src/collector/pipeline.ts';
import { BufferPool } from '../src/runtime/buffer-pool.ts';
import { systemClock } from '../src/runtime/clock.ts';
import { callControl } from '../src/runtime/control/control-client.ts';
import { operationCall } from '../src/runtime/operations/operation-call.ts';
import { openQueue } from '../src/storage/queue/queue.ts';
import { aggregatorStatus, callOpened, collectorStatus } from '../testkit/owner-status.ts';
import { incoming } from './storage/queue-fixture.ts';
import { capturedLogger } from './support/captured-logger.ts';
import { type InProcessPair, inProcessPair } from './support/in-process-pair.ts';
import { lines } from './support/record-batches.ts';
import { temporaryDirectory } from './support/temporary-directory.ts';

const soon = () => AbortSignal.timeout(5_000);
const output = (pair: InProcessPair) => readFile(pair.outputPath, 'utf8').catch(() => '');
const until = <T>(check: () => T | Promise<T>) => vi.waitFor(check, { timeout: 20_000, interval: 20 });

/** A record that waits for the emitter `file`. */
async function queueRecords(pair: InProcessPair): Promise<void> {
  const { logger } = capturedLogger();
  const queue = await openQueue({
    directory: pair.aggregatorState,
    clock: systemClock,
    logger,
    metrics: new Registry(),
    maxBytes: 2 ** 30,
    whenFull: 'stop',
    deadLetterMaxBytes: 2 ** 20,
  });
  await queue.append(incoming(['one\n']));
  await queue.close();
}

async function startedPair() {
  const pair = await inProcessPair(await temporaryDirectory());
  const aggregator = await pair.createAggregator();
  await aggregator.start();
  const collector = await pair.createCollector();
  await collector.start();
  return { pair, aggregator, collector };
}

describe('a collector and an aggregator', () => {
  it('bring the bytes of a file to two files while the memory of received messages is used again', async () => {
    const release = vi.spyOn(BufferPool.prototype, 'release');
    let returnedBytes = 0;
    release.mockImplementation((bytes) => {
      returnedBytes += bytes.length;
      // Later readers of this memory would emit these bytes.
      bytes.fill(0xdb);
    });
    onTestFinished(() => release.mockRestore());
    const pair = await inProcessPair(await temporaryDirectory());
    const second = join(pair.directory, 'second.log');
    const outputs = [{ path: pair.outputPath }, { name: 'second', path: second }];
    const aggregator = await pair.createAggregator({
      AGGREGATOR_FILE_CONFIGURATION: JSON.stringify(outputs),
    });
    await aggregator.start();
    const collector = await pair.createCollector({ COLLECTOR_COMPRESSION: 'none' });
    await collector.start();
    const content = lines(200_000, 'a line with some more text than the others').join('');
    await writeFile(join(pair.directory, 'a.log.in'), content);
    for (const path of [pair.outputPath, second])
      await until(async () => expect((await readFile(path)).equals(Buffer.from(content))).toBe(true));
    await until(() => expect(returnedBytes).toBeGreaterThan(content.length / 2));
  });

  it('bring a file to a file, through rotations and restarts of either, once and in order', async () => {
    const { pair, aggregator, collector } = await startedPair();
    const path = join(pair.directory, 'a.log.in');
    const parts = Array.from({ length: 6 }, (_, part) => lines(500, `part ${part} line`).join(''));

    await writeFile(path, parts[0] ?? '');
    await until(async () => expect(await output(pair)).toBe(parts[0]));

    await collector.stop(soon());
    await appendFile(path, parts[1] ?? '');
    const again = await pair.createCollector();
    await again.start();
    await until(async () => expect(await output(pair)).toBe(parts.slice(0, 2).join('')));

    await aggregator.stop(soon());
    await appendFile(path, parts[2] ?? '');
    await rename(path, join(pair.directory, 'b.log.in'));
    await writeFile(path, parts[3] ?? '');
    await (await pair.createAggregator()).start();
    await until(async () => expect(await output(pair)).toBe(parts.slice(0, 4).join('')));

    await truncate(path);
    await appendFile(path, parts[4] ?? '');
    await until(async () => expect(await output(pair)).toBe(parts.slice(0, 5).join('')));
  });

  it('show a balance that adds up, running and not', async () => {
    const { pair, aggregator, collector } = await startedPair();
    const text = lines(1_000).join('');
    await writeFile(join(pair.directory, 'a.log.in'), text);
    await until(async () => expect(await output(pair)).toBe(text));
    const amount = { records: 1_000, bytes: text.length };
    const nothing = { records: 0, bytes: 0 };
    const balanced = {
      accepted: amount,
      emitters: [
        {
          emitter: 'file',
          before: nothing,
          queued: nothing,
          deadLettered: nothing,
          discarded: nothing,
          delivered: amount,
        },
      ],
    };
    await until(async () => expect(await aggregatorStatus(pair.aggregatorState)).toMatchObject(balanced));
    const read = { read: text.length, accepted: text.length, waiting: 0, unread: 0 };
    expect(await collectorStatus(pair.collectorState)).toMatchObject(read);

    await collector.stop(soon());
    await aggregator.stop(soon());
    const { logger } = capturedLogger();
    const ofAggregator = await openOfflineAggregatorControl(pair.aggregatorState, {
      logger,
      clock: systemClock,
    });
    expect(await callOpened(ofAggregator, getStatus, {})).toMatchObject(balanced);
    await ofAggregator.close();
    await appendFile(join(pair.directory, 'a.log.in'), 'more\n');
    const ofCollector = await openOfflineCollectorControl(pair.collectorState, {
      logger,
      clock: systemClock,
    });
    expect(await callOpened(ofCollector, getCollectorStatus, { query: {} })).toMatchObject({
      ...read,
      unread: 5,
    });
    const path = join(pair.directory, 'a.log.in');
    expect(await callOpened(ofCollector, explainFile, { query: { path } })).toMatchObject({ path });
    await ofCollector.close();
  });

  it('bring a file a second time when it is forgotten while both are running', async () => {
    const { pair } = await startedPair();
    const path = join(pair.directory, 'a.log.in');
    const text = lines(500).join('');
    await writeFile(path, text);
    await until(async () => expect(await output(pair)).toBe(text));
    const reply = await callControl(pair.collectorState, operationCall(forgetFile, { body: { path } }));
    expect(JSON.parse(reply?.text ?? '')).toEqual({ streams: 1 });
    await until(async () => expect(await output(pair)).toBe(text + text));
    await appendFile(path, 'more\n');
    await until(async () => expect(await output(pair)).toBe(`${text}${text}more\n`));
  });

  it('end after everything is accepted, when told to read once', async () => {
    const pair = await inProcessPair(await temporaryDirectory());
    await (await pair.createAggregator()).start();
    const text = lines(20_000).join('');
    await writeFile(join(pair.directory, 'a.log.in'), text);
    const collector = await pair.createCollector({ COLLECTOR_ONCE: '1' });
    await collector.start();
    await collector.drained();
    await collector.stop(soon());
    await until(async () => expect(await output(pair)).toBe(text));
  });

  it('tell their health', async () => {
    const { pair } = await startedPair();
    for (const address of [pair.aggregatorHttp, pair.collectorHttp]) {
      for (const path of ['/health/live', '/health/ready', '/health/progress']) {
        expect((await fetch(`http://${address}${path}`)).status).toBe(200);
      }
    }
    const metrics = await (await fetch(`http://${pair.aggregatorHttp}/metrics`)).text();
    expect(metrics).toContain('aggregator_intake_calls 1');
  });

  const archive = (pair: InProcessPair) => ({
    AGGREGATOR_FILE_CONFIGURATION: JSON.stringify({ path: pair.outputPath, name: 'archive' }),
  });

  it('forget an emitter that is not configured any more and has nothing to lose', async () => {
    const pair = await inProcessPair(await temporaryDirectory());
    const first = await pair.createAggregator();
    await first.start();
    await first.stop(soon());
    const renamed = await pair.createAggregator(archive(pair));
    await renamed.start();
    expect(pair.aggregatorLog).toContainEqual(
      expect.objectContaining({ level: 30, emitter: 'file', msg: expect.stringMatching(/^Removed/) }),
    );
    const { emitters } = await aggregatorStatus(pair.aggregatorState);
    expect(emitters.map(({ emitter }) => emitter)).toEqual(['archive']);
  });

  it('refuse to start without an emitter that has queued records, and say both ways out', async () => {
    const pair = await inProcessPair(await temporaryDirectory());
    const first = await pair.createAggregator();
    await first.start();
    await first.stop(soon());
    await queueRecords(pair);
    const renamed = await pair.createAggregator(archive(pair));
    await expect(renamed.start()).rejects.toThrow(
      /emitter "file" \(1 queued records.*Configure it again.*emitters forget file/s,
    );
    await renamed.stop(soon());

    const { logger } = capturedLogger();
    const control = await openOfflineAggregatorControl(pair.aggregatorState, { logger, clock: systemClock });
    await callOpened(control, forgetEmitter, { parameters: { name: 'file' } });
    await control.close();
    const again = await pair.createAggregator({
      AGGREGATOR_FILE_CONFIGURATION: JSON.stringify({ path: pair.outputPath, name: 'archive' }),
    });
    await again.start();
  });

  it('stay up and are not ready when the state is damaged, and report it to every command', async () => {
    const pair = await inProcessPair(await temporaryDirectory());
    const first = await pair.createAggregator();
    await first.start();
    await first.stop(soon());
    await writeFile(join(pair.aggregatorState, 'state', 'data.mdb'), 'this is no database');
    const broken = await pair.createAggregator();
    await broken.start();
    const ready = await fetch(`http://${pair.aggregatorHttp}/health/ready`);
    expect(ready.status).toBe(503);
    expect(await ready.text()).toContain('cannot be used');
    await expect(aggregatorStatus(pair.aggregatorState)).rejects.toThrow(/cannot be used/);
  });

  it.each([
    ['a damaged layout', 'layout.json', '{"role":', /layout\.json is damaged.*printf/],
    ['an empty layout', 'layout.json', '', /layout\.json is damaged.*printf/],
    ['a newer layout', 'layout.json', '{"role":"ROLE","version":99}', /written by a newer mega-collector/],
    ['a damaged state', 'state/data.mdb', 'x'.repeat(10_000), /data\.mdb is damaged.*mv '/],
  ])('stay up, not ready, with %s, and say what helps', async (_, file, content, reason) => {
    const { pair, aggregator, collector } = await startedPair();
    await collector.stop(soon());
    await aggregator.stop(soon());
    const halves = [
      {
        role: 'aggregator',
        directory: pair.aggregatorState,
        http: pair.aggregatorHttp,
        create: () => pair.createAggregator(),
      },
      {
        role: 'collector',
        directory: pair.collectorState,
        http: pair.collectorHttp,
        create: () => pair.createCollector(),
      },
    ];
    for (const { role, directory, http, create } of halves) {
      await writeFile(join(directory, file), content.replace('ROLE', role));
      await (await create()).start();
      const ready = await fetch(`http://${http}/health/ready`);
      expect(ready.status).toBe(503);
      expect(((await ready.json()) as { reason: string }).reason).toMatch(reason);
      expect((await fetch(`http://${http}/health/live`)).status).toBe(200);
    }
    expect(pair.aggregatorLog.filter(({ level }) => level === 60)).toHaveLength(1);
    expect(pair.collectorLog.filter(({ level }) => level === 60)).toHaveLength(1);
  });

  it('accept data while the state of the pages is damaged, which is set aside', async () => {
    const { pair, aggregator, collector } = await startedPair();
    await aggregator.stop(soon());
    await writeFile(join(pair.aggregatorState, 'notify', 'data.mdb'), 'x'.repeat(10_000));
    await (await pair.createAggregator()).start();
    await writeFile(join(pair.directory, 'a.log.in'), 'one\n');
    await until(async () => expect(await output(pair)).toBe('one\n'));
    expect((await fetch(`http://${pair.aggregatorHttp}/health/ready`)).status).toBe(200);
    expect(pair.aggregatorLog).toContainEqual(
      expect.objectContaining({ level: 50, aside: join(pair.aggregatorState, 'notify.damaged') }),
    );
    expect(await readFile(join(pair.aggregatorState, 'notify.damaged', 'data.mdb'), 'utf8')).toMatch(/^x+$/);
    await collector.stop(soon());
  });

  it('end at once with a damaged state when they are to read once', async () => {
    const { pair, collector } = await startedPair();
    await collector.stop(soon());
    await writeFile(join(pair.collectorState, 'layout.json'), '');
    const once = await pair.createCollector({ COLLECTOR_ONCE: '1' });
    await expect(once.start()).rejects.toThrow('layout.json is damaged');
  });
});
