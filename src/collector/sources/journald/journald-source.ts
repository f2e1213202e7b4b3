import { readFile } from 'node:fs/promises';
import type { Logger } from 'pino';
import type { Registry } from 'prom-client';
import { type Amount, NOTHING, plus, sumOf } from '../../../records/amount.ts';
import type { Resource } from '../../../records/resource.ts';
import { mintStreamId, type StreamId } from '../../../records/stream-id.ts';
import type { Clock } from '../../../runtime/clock.ts';
import type { StateStore } from '../../../storage/state/state-store.ts';
import { Checkpoints } from '../../checkpoints.ts';
import type { LeftFile } from '../../one-shot-report.ts';
import type { Source, SourceStatus, StreamSink } from '../../source.ts';
import type { JournaldEntry } from './configuration.ts';
import { JOURNALD_EVENTS, type JournaldEvents } from './events.ts';
import { JournalFollower } from './journal-follower.ts';
import { FIRST_MARK, JOURNALD_TABLE, type JournalCheckpoint } from './journal-state.ts';
import { journalOrigin } from './journalctl-arguments.ts';
import { JournaldStream } from './journald-stream.ts';

export interface JournaldSourceOptions {
  readonly entries: readonly JournaldEntry[];
  /** Attributes of each record of this collector. */
  readonly resource: Resource;
  readonly store: StateStore;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly metrics: Registry;
  readonly once: boolean;
}

interface Followed {
  readonly entry: JournaldEntry;
  readonly follower: JournalFollower;
  stream: JournaldStream;
}

/**
 * Reads journals of systemd by journalctl. The journal keeps the entries, so the collector has no copy of them:
 *
 *     journalctl --pipe--> follower --entries--> stream --batches--> publisher
 *
 * There is one stream for each entry of the configuration.
 */
export class JournaldSource implements Source {
  readonly name = 'journald';
  readonly #options: JournaldSourceOptions;
  readonly #events: JournaldEvents;
  readonly #checkpoints: Checkpoints<JournalCheckpoint>;
  #followed: readonly Followed[] = [];
  #sink: StreamSink | undefined;
  #whenDrained: () => void = () => {};
  #replacing: Promise<void> = Promise.resolve();
  /** Of streams that were replaced. */
  #acceptedBefore = NOTHING;

  constructor(options: JournaldSourceOptions) {
    this.#options = options;
    const { store, logger, metrics, clock } = options;
    this.#events = JOURNALD_EVENTS.open({ logger, metrics, clock });
    this.#checkpoints = new Checkpoints<JournalCheckpoint>({
      ...{ store, clock, table: JOURNALD_TABLE },
      onFailure: (err) => this.#events.stateNotSaved({ err }),
    });
  }

  async start(sink: StreamSink): Promise<void> {
    this.#sink = sink;
    const machineId = await readMachineId();
    const stored = new Map(this.#checkpoints.entries().map(({ id, value }) => [value.origin, { id, value }]));
    this.#followed = this.#options.entries.map((entry) => {
      const origin = journalOrigin(entry);
      const { id, value } = stored.get(origin) ?? {};
      const checkpoint = value ?? { origin, accepted: 0, mark: FIRST_MARK, readEnd: 0 };
      return this.#follow({
        entry,
        checkpoint,
        machineId,
        id: (id as StreamId | undefined) ?? mintStreamId(),
      });
    });
    for (const { stream } of this.#followed) this.#changed(stream);
    await this.#checkpoints.flush();
    for (const { stream } of this.#followed) sink.open(stream);
    for (const { follower, stream } of this.#followed)
      await follower.startAfter(stream.checkpoint.mark.cursor);
  }

  async stop(): Promise<void> {
    await Promise.all(this.#followed.map(({ follower }) => follower.stop()));
    await this.#replacing;
    this.#events.flush();
  }

  drained(): Promise<void> {
    return new Promise((resolve) => {
      this.#whenDrained = () => {
        if (this.#followed.every(({ stream }) => stream.isDrained)) resolve();
      };
      this.#whenDrained();
    });
  }

  status(): SourceStatus {
    const failure = this.#followed.find(({ follower }) => follower.failure !== undefined)?.follower.failure;
    return {
      streams: this.#followed.map(({ stream }) => stream.status),
      ...(failure !== undefined && { failure }),
    };
  }

  accepted(): Amount {
    return plus(this.#acceptedBefore, sumOf(this.#followed.map(({ stream }) => stream.acceptedReads)));
  }

  left(): readonly LeftFile[] {
    return this.#followed
      .filter(({ follower }) => follower.failure !== undefined)
      .map(({ stream }) => ({ path: stream.status.origin, reason: 'unreadable' }));
  }

  async close(): Promise<void> {
    await this.stop();
    for (const { stream } of this.#followed) this.#changed(stream);
    await this.#checkpoints.flush();
    this.#checkpoints.close();
  }

  #follow({ entry, checkpoint, machineId, id }: NewStream): Followed {
    const { clock, once } = this.#options;
    const { origin } = checkpoint;
    const follower = new JournalFollower({
      ...{ entry, origin, machineId, clock, once, events: this.#events },
      onReadable: () => {
        this.#sink?.wake(followed.stream.id);
        this.#whenDrained();
      },
      onCursor: (cursor) => followed.stream.advance(cursor),
      reportGone: (cursor) => followed.stream.reportGone(cursor),
    });
    const followed: Followed = { entry, follower, stream: this.#stream(id, { entry, checkpoint, follower }) };
    return followed;
  }

  #stream(id: StreamId, { entry, checkpoint, follower }: StreamParts): JournaldStream {
    const { resource, clock } = this.#options;
    return new JournaldStream({
      ...{ id, checkpoint, follower, clock, events: this.#events },
      resource: new Map([...resource, ...Object.entries(entry.resource)]),
      host: {
        changed: (stream) => this.#changed(stream),
        diverged: (stream) => {
          this.#replacing = this.#replacing.then(() => this.#replace(stream));
        },
      },
    });
  }

  #changed(stream: JournaldStream): void {
    this.#checkpoints.change(stream.id, () => stream.checkpoint);
    this.#whenDrained();
  }

  /** A new stream continues after the last entry that is certainly accepted. */
  async #replace(old: JournaldStream): Promise<void> {
    const followed = this.#followed.find(({ stream }) => stream === old);
    if (followed === undefined) return;
    const { origin, mark } = old.checkpoint;
    this.#acceptedBefore = plus(this.#acceptedBefore, old.acceptedReads);
    this.#events.diverged({ journal: origin, stream: old.id });
    const { cursor } = mark;
    const checkpoint: JournalCheckpoint = {
      ...{ origin, accepted: 0, readEnd: 0 },
      mark: { ...FIRST_MARK, ...(cursor !== undefined && { cursor }) },
    };
    followed.stream = this.#stream(mintStreamId(), { ...followed, checkpoint });
    this.#checkpoints.remove(old.id);
    this.#changed(followed.stream);
    await this.#checkpoints.flush().catch((err: unknown) => this.#events.stateNotSaved({ err }));
    await followed.follower.startAfter(cursor);
    this.#sink?.close(old.id);
    this.#sink?.open(followed.stream);
  }
}

interface StreamParts {
  readonly entry: JournaldEntry;
  readonly checkpoint: JournalCheckpoint;
  readonly follower: JournalFollower;
}

interface NewStream extends Omit<StreamParts, 'follower'> {
  readonly id: StreamId;
  readonly machineId: string | undefined;
}

async function readMachineId(): Promise<string | undefined> {
  const text = await readFile('/etc/machine-id', 'latin1').catch(() => '');
  return /^[0-9a-f]{32}$/.exec(text.trim())?.[0];
}
