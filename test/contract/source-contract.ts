import { readdirSync, readFileSync, readlinkSync } from 'node:fs';
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { Registry } from 'prom-client';
import { describe, expect, onTestFinished, test, vi } from 'vitest';
import type { Source } from '../../src/collector/source.ts';
import type { SourceType } from '../../src/collector/sources/source-type.ts';
import type { StreamId } from '../../src/records/stream-id.ts';
import { type Cancel, type Clock, systemClock } from '../../src/runtime/clock.ts';
import { type Environment, parseVariables } from '../../src/runtime/configuration/configuration.ts';
import { openStateStore } from '../../src/storage/state/state-store.ts';
import { capturedLogger } from '../support/captured-logger.ts';
import { PullingSink, TakenBytes } from '../support/pulling-sink.ts';
import { temporaryDirectory } from '../support/temporary-directory.ts';
import type { RecordOrigin, SourceFixture } from './source-fixture.ts';

const PATIENT = { timeout: 30_000, interval: 20 };
const soon = () => AbortSignal.timeout(20_000);

/** The system's clock, with the number of its timers. */
class CountingClock implements Clock {
  readonly nowUnixNano = () => systemClock.nowUnixNano();
  readonly monotonicMs = () => systemClock.monotonicMs();
  timers = 0;

  after(ms: number, callback: () => void): Cancel {
    let isActive = true;
    const end = () => {
      if (isActive) this.timers--;
      isActive = false;
    };
    this.timers++;
    const cancel = systemClock.after(ms, () => {
      end();
      callback();
    });
    return () => {
      end();
      cancel();
    };
  }

  async sleep(ms: number, signal?: AbortSignal): Promise<void> {
    this.timers++;
    try {
      await systemClock.sleep(ms, signal);
    } finally {
      this.timers--;
    }
  }
}

class WatchedSink extends PullingSink {
  wakes = 0;

  override wake(id: StreamId): void {
    this.wakes++;
    super.wake(id);
  }
}

/** The files and sockets of this process below a directory. */
function openHandles(directory: string): readonly string[] {
  const files = readdirSync('/proc/self/fd').flatMap((fd) => {
    try {
      return readlinkSync(`/proc/self/fd/${fd}`);
    } catch {
      return [];
    }
  });
  const sockets = readFileSync('/proc/net/unix', 'utf8').split('\n');
  return [...files, ...sockets].filter((each) => each.includes(directory));
}

const watchers = () => process.getActiveResourcesInfo().filter((kind) => kind === 'FSEventWrap').length;

/** Tests the contract of `src/collector/source.ts` and `source-type.ts` with one source. */
export function sourceContract(type: SourceType, fixture: SourceFixture): void {
  function parsed(environment: Environment, once = false) {
    const { values, problems } = parseVariables(type.variables, environment);
    expect(problems).toEqual([]);
    return type.parse(values, { once, otherSources: [] });
  }

  /** An origin and what an aggregator has taken of it, over any number of lives of the source. */
  async function prepared() {
    const directory = await temporaryDirectory();
    const logs = join(directory, 'origin');
    await mkdir(logs);
    const origin = await fixture.open(logs);
    const taken = new TakenBytes();
    const texts = () => taken.batches.flatMap((batch) => origin.texts(batch));
    const until = (expected: readonly string[]) =>
      vi.waitFor(() => expect(texts()).toEqual(expected), PATIENT);
    return { directory, origin, taken, texts, until };
  }

  /** A source over the state in a directory; ends with `close`, or at the end of the test. */
  async function opened(directory: string, origin: RecordOrigin, { once = false } = {}) {
    const { configuration } = parsed(origin.environment, once);
    const store = await openStateStore(join(directory, 'state'));
    const clock = new CountingClock();
    const { logger } = capturedLogger();
    const source: Source = await type.open(configuration, {
      stateDirectory: directory,
      store,
      resource: new Map([['host.name', 'test-host']]),
      clock,
      logger,
      metrics: new Registry(),
      once,
    });
    let isClosed = false;
    const close = async (sink?: PullingSink) => {
      if (isClosed) return;
      isClosed = true;
      await source.stop(soon());
      if (sink !== undefined) sink.paused = true;
      await sink?.idle();
      await source.close(soon());
      await store.close();
    };
    onTestFinished(() => close());
    return { source, clock, close };
  }

  /** A source that has handed out one record, and has 29 more that were not read. */
  async function leavingUnread() {
    const origin = await prepared();
    const { source, close } = await opened(origin.directory, origin.origin);
    const sink = new PullingSink({ taken: origin.taken });
    await source.start(sink);
    await origin.origin.write(texts(0, 1));
    await origin.until(texts(0, 1));
    sink.paused = true;
    await origin.origin.write(texts(1, 30));
    await close(sink);
    return origin;
  }

  const texts = (from: number, to: number) =>
    Array.from({ length: to - from }, (_, index) => `record number ${from + index} of this test`);

  describe('configuration', () => {
    test('is undefined when no variable is set', () => {
      expect(parsed({}).configuration).toBeUndefined();
    });

    test('follows from each variable that enables the source, as its example', () => {
      const variables = Object.values(type.variables);
      expect(type.enabledBy.length).toBeGreaterThan(0);
      for (const name of type.enabledBy) {
        const example = variables.find((variable) => variable.name === name)?.example;
        expect(parsed({ [name]: example }).configuration, name).toBeDefined();
      }
    });

    test('has the name of the folder of the source', () => {
      expect(readdirSync('src/collector/sources')).toContain(type.name);
    });
  });

  describe('records', () => {
    test('reach the sink once and in order, with the resource of the collector', async () => {
      const { directory, origin, taken, until } = await prepared();
      const { source } = await opened(directory, origin);
      await source.start(new PullingSink({ taken }));
      await origin.write(texts(0, 100));
      await until(texts(0, 100));
      await origin.write(texts(100, 200));
      await until(texts(0, 200));
      for (const { resource } of taken.batches) expect(resource.get('host.name')).toBe('test-host');
      expect(taken.repeatedBytes).toBe(0);
    });

    test('wait while the sink is paused, and none is lost', async () => {
      const { directory, origin, taken, texts: arrived, until } = await prepared();
      const { source } = await opened(directory, origin);
      const sink = new WatchedSink({ taken });
      await source.start(sink);
      await origin.write(texts(0, 10));
      await until(texts(0, 10));
      sink.paused = true;
      const { wakes } = sink;
      await origin.write(texts(10, 200));
      await vi.waitFor(() => expect(sink.wakes).toBeGreaterThan(wakes), PATIENT);
      expect(arrived()).toEqual(texts(0, 10));
      sink.paused = false;
      await until(texts(0, 200));
    });

    test('are read again from the accepted end on a new call, and no byte is taken twice', async () => {
      const { directory, origin, taken, until } = await prepared();
      const { source } = await opened(directory, origin);
      const sink = new PullingSink({ taken });
      sink.accepting = false;
      await source.start(sink);
      await origin.write(texts(0, 50));
      await until(texts(0, 50));
      await sink.reconnect();
      sink.accepting = true;
      await origin.write(texts(50, 60));
      await until(texts(0, 60));
      expect(taken.repeatedBytes).toBe(0);
    });
  });

  describe('a restart with the same state', () => {
    test('continues the same streams without a loss or a repetition', async () => {
      const { directory, origin, taken, until } = await prepared();
      let written = 0;
      for (let life = 0; life < 4; life++) {
        const { source, close } = await opened(directory, origin);
        const sink = new PullingSink({ taken });
        // The last acceptances of every other life do not arrive.
        sink.accepting = life % 2 === 0;
        await source.start(sink);
        await origin.write(texts(written, written + 50));
        written += 50;
        await until(texts(0, written));
        await sink.idle();
        await close(sink);
      }
      expect(taken.repeatedBytes).toBe(0);
      expect(taken.streamIds).toHaveLength(1);
    });

    test('hands out records that were not sent before', async () => {
      const { directory, origin, taken, until } = await leavingUnread();
      const { source } = await opened(directory, origin);
      await source.start(new PullingSink({ taken }));
      await until(texts(0, 30));
      expect(taken.repeatedBytes).toBe(0);
    });
  });

  describe('status', () => {
    test('has what is read, accepted and waiting', async () => {
      const { directory, origin, taken, until } = await prepared();
      const { source } = await opened(directory, origin);
      const sink = new PullingSink({ taken });
      sink.accepting = false;
      await source.start(sink);
      await origin.write(texts(0, 20));
      await until(texts(0, 20));
      const bytes = taken.batches.reduce((sum, { data }) => sum + data.length, 0);
      const [stream, ...others] = source.status().streams;
      expect(others).toEqual([]);
      expect(stream).toMatchObject({ readBytes: bytes, acceptedBytes: 0, waitingBytes: bytes });
      expect(stream?.origin).toContain(origin.streamOrigin ?? directory);
      sink.acceptAll();
      expect(source.status().streams).toMatchObject([
        { readBytes: bytes, acceptedBytes: bytes, waitingBytes: 0 },
      ]);
      expect(source.status().failure).toBeUndefined();
    });

    test('is known while the source is not open', async () => {
      const { directory, origin, taken, until } = await prepared();
      const { source, close } = await opened(directory, origin);
      const sink = new PullingSink({ taken });
      sink.accepting = false;
      await source.start(sink);
      await origin.write(texts(0, 20));
      await until(texts(0, 20));
      const before = source.status().streams.map(({ stream, origin: name }) => [stream, name]);
      await close(sink);
      const store = await openStateStore(join(directory, 'state'));
      onTestFinished(() => store.close());
      const { logger } = capturedLogger();
      const offline = await type.openOffline?.({ store, clock: systemClock, logger });
      const { streams } = offline?.status() ?? (await type.leftovers(store));
      await offline?.close();
      expect(streams.map(({ stream, origin: name }) => [stream, name])).toEqual(before);
      expect(waitingOf(streams)).toBeGreaterThan(0);
    });

    test('has nothing left over in a new state directory', async () => {
      const store = await openStateStore(join(await temporaryDirectory(), 'state'));
      onTestFinished(() => store.close());
      expect((await type.leftovers(store)).streams).toEqual([]);
    });
  });

  describe('the end', () => {
    test('is drained when all existing records are accepted', async () => {
      const { directory, origin, taken, until } = await leavingUnread();
      const { source } = await opened(directory, origin, { once: true });
      const sink = new PullingSink({ taken });
      sink.accepting = false;
      await source.start(sink);
      let isDrained = false;
      const drained = source.drained().then(() => {
        isDrained = true;
      });
      await until(texts(0, 30));
      expect(isDrained).toBe(false);
      sink.acceptAll();
      await drained;
    });

    test('may come before the start, and twice', async () => {
      const { directory, origin, taken } = await prepared();
      const { source } = await opened(directory, origin);
      for (let each = 0; each < 2; each++) {
        await source.stop(soon());
        await source.close(soon());
      }
      expect(taken.batches).toEqual([]);
    });

    test('leaves no file, socket, watcher or timer open', async () => {
      const { directory, origin, taken, until } = await prepared();
      const before = watchers();
      const { source, clock, close } = await opened(directory, origin);
      const sink = new PullingSink({ taken });
      await source.start(sink);
      await origin.write(texts(0, 20));
      await until(texts(0, 20));
      expect(openHandles(directory)).not.toEqual([]);
      await close(sink);
      expect(openHandles(directory)).toEqual([]);
      expect(watchers()).toBe(before);
      expect(clock.timers).toBe(0);
    });
  });
}

function waitingOf(streams: ReturnType<Source['status']>['streams']): number {
  return streams.reduce((sum, stream) => sum + stream.waitingBytes, 0);
}
