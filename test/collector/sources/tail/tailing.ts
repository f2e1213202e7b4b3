import { appendFile, mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { Registry } from 'prom-client';
import { onTestFinished } from 'vitest';
import {
  type TailEntry,
  tailEntriesFromGlobs,
} from '../../../../src/collector/sources/tail/files/tail-configuration.ts';
import { createTailSource, type TailSource } from '../../../../src/collector/sources/tail/tail-source.ts';
import type { TailLimits } from '../../../../src/collector/sources/tail/tail-source-options.ts';
import { openStateStore, type StateStore } from '../../../../src/storage/state/state-store.ts';
import { type CapturedLog, capturedLogger } from '../../../support/captured-logger.ts';
import { FakeClock } from '../../../support/fake-clock.ts';
import { PullingSink, TakenBytes } from '../../../support/pulling-sink.ts';
import { temporaryDirectory } from '../../../support/temporary-directory.ts';

export interface TailingOptions {
  /** Relative to `logs`. Default `*`. */
  readonly globs?: readonly string[];
  readonly entry?: Partial<TailEntry>;
  readonly limits?: Partial<TailLimits>;
  readonly once?: boolean;
  /** Reads the state as a command does. */
  readonly offline?: boolean;
  readonly bufferBytes?: number;
  /** Compressed rotated files are inflated in the state directory. */
  readonly inflates?: boolean;
}

/** The tail source with real files and a real state directory, read by a sink. It may be started again. */
export class Tailing {
  readonly logs: string;
  readonly clock = new FakeClock();
  readonly log: CapturedLog[];
  readonly metrics = new Registry();
  readonly taken = new TakenBytes();
  readonly store: StateStore;
  readonly #logger: ReturnType<typeof capturedLogger>['logger'];
  #options: TailingOptions;
  #alive = { value: true };
  source: TailSource;
  sink: PullingSink;

  private constructor(logs: string, store: StateStore, options: TailingOptions) {
    const { logger, lines } = capturedLogger();
    this.logs = logs;
    this.store = store;
    this.#logger = logger;
    this.log = lines;
    this.#options = options;
    this.sink = new PullingSink({ taken: this.taken });
    this.source = this.#create();
  }

  static async prepare(options: TailingOptions = {}): Promise<Tailing> {
    const directory = await temporaryDirectory();
    const logs = join(directory, 'logs');
    await mkdir(logs);
    const store = await openStateStore(join(directory, 'state'));
    const tailing = new Tailing(logs, store, options);
    onTestFinished(async () => {
      await tailing.stop();
      await store.close();
    });
    return tailing;
  }

  static async start(options: TailingOptions = {}): Promise<Tailing> {
    const tailing = await Tailing.prepare(options);
    await tailing.start();
    return tailing;
  }

  path(name: string): string {
    return join(this.logs, name);
  }

  append(name: string, text: string): Promise<void> {
    return appendFile(this.path(name), text);
  }

  async start(options: Partial<TailingOptions> = {}): Promise<void> {
    this.#options = { ...this.#options, ...options };
    const { bufferBytes } = this.#options;
    const { accepting } = this.sink;
    this.metrics.clear();
    this.sink = new PullingSink({ taken: this.taken, ...(bufferBytes === undefined ? {} : { bufferBytes }) });
    this.sink.accepting = accepting;
    this.source = this.#create();
    await this.source.start(this.sink);
    await this.sink.idle();
  }

  /** As SIGKILL does: no more writes reach the disk. */
  async kill(): Promise<void> {
    this.diskIsFull(true);
    await this.stop();
  }

  diskIsFull(isFull: boolean): void {
    this.#alive.value = !isFull;
  }

  /** Stops in an orderly way. */
  async stop(): Promise<void> {
    await this.source.stop(AbortSignal.timeout(10_000));
    this.sink.paused = true;
    await this.sink.idle();
    await this.source.close();
  }

  async restart(options: Partial<TailingOptions> = {}): Promise<void> {
    await this.stop();
    await this.start(options);
  }

  /** Scans, and reads all that can be read. */
  async turn(): Promise<void> {
    await this.source.scan();
    await this.sink.idle();
    await this.clock.advance(0);
    await this.source.scan();
    await this.sink.idle();
  }

  /** Lets time pass in steps, with a turn after each. */
  async pass(ms: number, stepMs = 1_000): Promise<void> {
    for (let passed = 0; passed < ms; passed += stepMs) {
      await this.clock.advance(Math.min(stepMs, ms - passed));
      await this.turn();
    }
  }

  /** Runs `act` at the moment when this message is logged for this file: during a scan. */
  once(message: string, name: string, act: () => void): void {
    const note = this.log.push.bind(this.log);
    let isDone = false;
    this.log.push = (...lines) => {
      const length = note(...lines);
      if (isDone || !lines.some(({ msg, path }) => msg === message && path === this.path(name)))
        return length;
      isDone = true;
      act();
      return length;
    };
  }

  /** The messages logged at this level or above. */
  messages(level = 40): string[] {
    return this.log.filter((line) => line.level >= level).map(({ msg }) => msg);
  }

  #create(): TailSource {
    const {
      globs = ['*'],
      entry = {},
      limits,
      once = false,
      offline = false,
      inflates = false,
    } = this.#options;
    this.#alive = { value: true };
    return createTailSource({
      entries: tailEntriesFromGlobs(globs).map((plain) => ({ ...plain, ...entry })),
      resource: new Map([['host.name', 'test-host']]),
      store: mortal(this.store, this.#alive),
      clock: this.clock,
      logger: this.#logger,
      metrics: this.metrics,
      once,
      isOffline: offline,
      workingDirectory: this.logs,
      ...(inflates ? { stateDirectory: join(this.logs, '..', 'state') } : {}),
      limits: { pollMs: 3_600_000, ...limits },
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
  for (let i = from; i < from + count; i++)
    text += `${tag} number ${i} of a file that is followed, unlike the others\n`;
  return text;
}
