import { existsSync } from 'node:fs';
import { appendFile, mkdir, readdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { Registry } from 'prom-client';
import { onTestFinished } from 'vitest';
import { parseHarvest } from '../../../../src/collector/sources/harvest/configuration.ts';
import {
  createHarvestSource,
  type HarvestSource,
} from '../../../../src/collector/sources/harvest/harvest-source.ts';
import { openStateStore, type StateStore } from '../../../../src/storage/state/state-store.ts';
import { type CapturedLog, capturedLogger } from '../../../support/captured-logger.ts';
import { FakeClock } from '../../../support/fake-clock.ts';
import { PullingSink, TakenBytes } from '../../../support/pulling-sink.ts';
import { temporaryDirectory } from '../../../support/temporary-directory.ts';

/** The harvest source with real files and a real state directory, read by a sink. It may be started again. */
export class Harvesting {
  readonly directory: string;
  readonly uploads: string;
  readonly done: string;
  readonly clock = new FakeClock();
  readonly log: CapturedLog[];
  readonly metrics = new Registry();
  readonly taken = new TakenBytes();
  readonly store: StateStore;
  readonly #logger: ReturnType<typeof capturedLogger>['logger'];
  readonly #entry: object;
  #alive = { value: true };
  source: HarvestSource;
  sink = new PullingSink({ taken: this.taken });

  private constructor(directory: string, store: StateStore, entry: object) {
    const { logger, lines } = capturedLogger();
    this.directory = directory;
    this.uploads = join(directory, 'uploads');
    this.done = join(directory, 'done');
    this.store = store;
    this.#logger = logger;
    this.log = lines;
    this.#entry = entry;
    this.source = this.#create(false);
  }

  /** `entry`: the options of the upload directory; `after: 'move'` moves to `done`. */
  static async prepare(entry: Record<string, unknown> = {}): Promise<Harvesting> {
    const directory = await temporaryDirectory();
    await mkdir(join(directory, 'uploads'));
    const store = await openStateStore(join(directory, 'state'));
    const after = entry['after'] === 'move' ? { after: `move:${join(directory, 'done')}` } : {};
    const harvesting = new Harvesting(directory, store, { ...entry, ...after });
    onTestFinished(async () => {
      await harvesting.stop();
      await store.close();
    });
    return harvesting;
  }

  static async start(entry: Record<string, unknown> = {}): Promise<Harvesting> {
    const harvesting = await Harvesting.prepare(entry);
    await harvesting.start();
    return harvesting;
  }

  path(name: string): string {
    return join(this.uploads, name);
  }

  write(name: string, text: string | Uint8Array): Promise<void> {
    return writeFile(this.path(name), text);
  }

  append(name: string, text: string): Promise<void> {
    return appendFile(this.path(name), text);
  }

  has(name: string): boolean {
    return existsSync(this.path(name));
  }

  names(directory = this.uploads): Promise<string[]> {
    return readdir(directory).then((names) => names.sort());
  }

  async start({ once = false } = {}): Promise<void> {
    const { accepting, paused } = this.sink;
    this.metrics.clear();
    this.sink = new PullingSink({ taken: this.taken });
    this.sink.accepting = accepting;
    this.sink.paused = paused;
    this.source = this.#create(once);
    await this.source.start(this.sink);
    await this.#settle();
  }

  async stop(): Promise<void> {
    await this.source.stop(AbortSignal.timeout(10_000));
    const { paused } = this.sink;
    this.sink.paused = true;
    await this.sink.idle();
    await this.source.close();
    this.sink.paused = paused;
  }

  /** As SIGKILL does: no more writes reach the disk. */
  async kill(): Promise<void> {
    this.diskIsFull(true);
    await this.stop();
  }

  diskIsFull(isFull: boolean): void {
    this.#alive.value = !isFull;
  }

  /** Scans, and reads and settles all that can be. */
  async turn(): Promise<void> {
    await this.source.scan();
    await this.#settle();
    await this.source.scan();
    await this.#settle();
  }

  /** Lets uploads become complete. */
  async pass(ms = 20_000): Promise<void> {
    await this.turn();
    await this.clock.advance(ms);
    await this.turn();
  }

  messages(level = 40): string[] {
    return this.log.filter((line) => line.level >= level).map(({ msg }) => msg);
  }

  /** The value of a metric, over all its labels. */
  async count(name: string, labels: Readonly<Record<string, string>> = {}): Promise<number> {
    const metric = await this.metrics.getSingleMetric(name)?.get();
    const values = metric?.values.filter((each) =>
      Object.entries(labels).every(([key, value]) => each.labels[key] === value),
    );
    return values?.reduce((sum, { value }) => sum + value, 0) ?? 0;
  }

  async #settle(): Promise<void> {
    await this.sink.idle();
    await this.clock.advance(0);
    await this.sink.idle();
  }

  #create(once: boolean): HarvestSource {
    this.#alive = { value: true };
    return createHarvestSource({
      entries: parseHarvest(JSON.stringify([{ path: this.uploads, ...this.#entry }])),
      resource: new Map([['host.name', 'test-host']]),
      store: mortal(this.store, this.#alive),
      clock: this.clock,
      logger: this.#logger,
      metrics: this.metrics,
      once,
      pollMs: 3_600_000,
    });
  }
}

/** The store of a process that can be killed. */
function mortal(store: StateStore, alive: { readonly value: boolean }): StateStore {
  return {
    table: (name) => store.table(name),
    write: (change) =>
      alive.value ? store.write(change) : Promise.reject(new Error('Nothing can be written')),
    close: () => store.close(),
  };
}

/** Numbered lines, each different. */
export function numbered(from: number, count: number, tag = 'line'): string {
  let text = '';
  for (let i = from; i < from + count; i++) text += `${tag} number ${i} of a file that is uploaded\n`;
  return text;
}
