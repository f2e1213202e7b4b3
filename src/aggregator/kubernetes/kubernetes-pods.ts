import { mkdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import type { Logger } from 'pino';
import type { Registry } from 'prom-client';
import { Backoff } from '../../runtime/async/backoff.ts';
import { InterruptibleWait } from '../../runtime/async/interruptible-wait.ts';
import { untilAborted } from '../../runtime/async/until-aborted.ts';
import type { Clock } from '../../runtime/clock.ts';
import type { Component } from '../../runtime/component.ts';
import { errorMessage } from '../../runtime/error-message.ts';
import { replaceFile } from '../../runtime/files/replace-file.ts';
import { KUBERNETES_EVENTS, type KubernetesEvents } from './events.ts';
import { KubernetesApi, KubernetesError, type PodChange } from './kubernetes-api.ts';
import type { KubernetesConfiguration } from './kubernetes-configuration.ts';
import { PODS_TABLE, PodTable } from './pod-table.ts';

/** Changes are written together: each write loads the filters that use the table. */
const WRITE_AFTER_MS = 2_000;
/** The start waits for the first list at most this long, so that the first records have labels. */
const FIRST_LIST_MS = 5_000;

/**
 * Keeps the table of pods for filters: lists the pods, watches their changes, and writes the file.
 *
 *     list --> watch --> changes --> table --> file, 2 s after the first change --> onChange: filters load it
 *      ^         | expired, failed
 *      `---------'
 *
 * The file stays while the server cannot be reached, also over a restart.
 */
export class KubernetesPods implements Component {
  readonly #options: KubernetesPodsOptions;
  readonly #api: KubernetesApi;
  readonly #table: PodTable;
  readonly #events: KubernetesEvents;
  readonly #pause: InterruptibleWait;
  readonly #stopping = new AbortController();
  readonly #backoff = new Backoff();
  #tried: () => void = () => {};
  #running: Promise<void> = Promise.resolve();
  #cancelWrite: (() => void) | undefined;
  #writes: Promise<void> = Promise.resolve();
  #written = '';

  constructor(options: KubernetesPodsOptions) {
    this.#options = options;
    this.#api = new KubernetesApi(options.configuration);
    this.#table = new PodTable(options.configuration.labels);
    this.#events = KUBERNETES_EVENTS.open(options);
    this.#pause = new InterruptibleWait(options.clock);
  }

  /** Resolves after the first list or failure, at the latest after 5 s. */
  async start(): Promise<void> {
    const { clock, directory } = this.#options;
    await mkdir(directory, { recursive: true, mode: 0o700 });
    const late = new AbortController();
    const cancel = clock.after(FIRST_LIST_MS, () => late.abort());
    const tried = new Promise<void>((resolve) => {
      this.#tried = resolve;
    });
    this.#running = this.#run(this.#stopping.signal);
    await untilAborted(tried, AbortSignal.any([late.signal, this.#stopping.signal]));
    cancel();
  }

  async stop(): Promise<void> {
    this.#stopping.abort();
    this.#pause.end();
    await this.#running;
    this.#cancelWrite?.();
    await this.#writes;
  }

  async #run(signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      try {
        await this.#follow(await this.#list(signal), signal);
        // A server whose changes always have expired is not asked without a pause.
        await this.#pause.wait(REWATCH_MS);
      } catch (error) {
        if (signal.aborted) return;
        this.#events.failed({ reason: errorMessage(error) });
        this.#tried();
        await this.#pause.wait(this.#backoff.nextMs());
      }
    }
  }

  /** Returns the version from which to watch. */
  async #list(signal: AbortSignal): Promise<string> {
    const uids = new Set<string>();
    let version = '';
    this.#table.beginList();
    for await (const page of this.#api.list(signal)) {
      for (const pod of page.pods) {
        uids.add(pod.uid);
        this.#table.put(pod);
      }
      version = page.version;
    }
    this.#table.keepOnly(uids, this.#options.clock.monotonicMs());
    if (this.#table.omitted > 0) this.#events.omitted({ pods: this.#table.omitted });
    this.#events.listed({ pods: uids.size });
    this.#backoff.reset();
    await this.#write();
    this.#tried();
    return version;
  }

  /**
   * Returns when the changes have expired, and rejects when the connection fails: the caller lists again. A watch that
   * the server ends continues after its last change.
   */
  async #follow(first: string, signal: AbortSignal): Promise<void> {
    let version = first;
    while (!signal.aborted) {
      try {
        for await (const change of this.#api.watch(version, signal)) {
          if (change.kind === 'expired') return;
          version = change.version;
          this.#apply(change);
        }
      } catch (error) {
        if (signal.aborted) return;
        if (error instanceof KubernetesError && error.status === STATUS_GONE) return;
        throw error;
      }
      // A server that ends each watch at once is not asked without a pause.
      await this.#pause.wait(REWATCH_MS);
    }
  }

  #apply(change: Exclude<PodChange, { kind: 'expired' }>): void {
    if (change.kind === 'bookmark') return;
    if (change.kind === 'put') this.#table.put(change.pod);
    else this.#table.delete(change.pod.uid, this.#options.clock.monotonicMs());
    this.#cancelWrite ??= this.#options.clock.after(WRITE_AFTER_MS, () => {
      this.#cancelWrite = undefined;
      void this.#write();
    });
  }

  #write(): Promise<void> {
    this.#writes = this.#writes.then(() => this.#writeNow());
    return this.#writes;
  }

  async #writeNow(): Promise<void> {
    const text = this.#table.csv(this.#options.clock.monotonicMs());
    if (text === this.#written) return;
    const path = join(this.#options.directory, PODS_TABLE);
    const temporary = `${path}.new`;
    try {
      await rm(temporary, { force: true });
      await replaceFile(path, text, { temporary, mode: 0o600 });
      this.#written = text;
      this.#events.written({ pods: this.#table.size });
      await this.#options.onChange();
    } catch (error) {
      this.#events.notWritten({ reason: errorMessage(error) });
    }
  }
}

const STATUS_GONE = 410;
const REWATCH_MS = 1_000;

export interface KubernetesPodsOptions {
  readonly configuration: KubernetesConfiguration;
  /** Where the file is written. */
  readonly directory: string;
  /** The file has changed. Never rejects. */
  readonly onChange: () => Promise<void>;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly metrics: Registry;
}
