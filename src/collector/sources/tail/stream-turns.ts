import type { Amount } from '../../../records/amount.ts';
import { NOTHING, plus } from '../../../records/amount.ts';
import { mintStreamId } from '../../../records/stream-id.ts';
import { Timer } from '../../../runtime/async/timer.ts';
import type { Clock } from '../../../runtime/clock.ts';
import type { Checkpoints } from '../../checkpoints.ts';
import type { StreamSink } from '../../source.ts';
import type { TailEvents } from './files/events.ts';
import { acceptedBytesOf, type FileCheckpoint } from './files/file-checkpoint.ts';
import type { FollowedFiles } from './identity/followed-files.ts';
import type { GenerationOrder } from './identity/generation-order.ts';
import type { NewStream } from './identity/stream-starter.ts';
import type { FileStream } from './reading/file-stream.ts';
import { checkDrained, DRAIN_CHECK_MS, isDraining } from './reading/rotation-drain.ts';
import type { TailState } from './tail-state.ts';

/**
 * Opens the streams whose turn it is, hands over from one generation to the next, and removes the streams
 * that have ended. `GenerationOrder` has the order, `checkDrained` has the condition for the next turn.
 */
export class StreamTurns {
  readonly #parts: StreamTurnsParts;
  readonly #files: FollowedFiles;
  readonly #checkpoints: Checkpoints<FileCheckpoint>;
  readonly #drainTimer: Timer;
  #sink: StreamSink | undefined;
  #isStopped = false;
  #acceptedBefore: Amount = NOTHING;

  constructor(parts: StreamTurnsParts) {
    this.#parts = parts;
    this.#files = parts.files;
    this.#checkpoints = parts.state.checkpoints;
    this.#drainTimer = new Timer(parts.clock, () => void parts.decide(() => this.#checkDraining()));
  }

  /** The records of removed streams that were read in this run and are accepted. */
  get acceptedBefore(): Amount {
    return this.#acceptedBefore;
  }

  start(sink: StreamSink): void {
    this.#sink = sink;
  }

  /** Stops the timer. Streams may still be woken. */
  stop(): void {
    this.#isStopped = true;
    this.#drainTimer.cancel();
  }

  wake(stream: FileStream): void {
    if (stream.isOpened) this.#sink?.wake(stream.id);
  }

  /** Records of the stream were accepted, or it was read to the end of its file. */
  progressed(stream: FileStream): void {
    if (isDraining(stream) && stream.accepted >= stream.content.end) this.#scheduleDrainCheck(0);
    else if (stream.isEnded && stream.accepted >= stream.position)
      void this.#parts.decide(() => this.#openAfterScan());
  }

  /** Opens the streams whose turn it is, after their identities are on disk. */
  async openNext(): Promise<void> {
    const turn = this.#parts.order.advance();
    for (const stream of this.#files.streams.values()) {
      if (stream.isHandedOver && !stream.isOpened && !stream.isEnded) turn.push(stream);
    }
    this.#removeEnded();
    for (const stream of turn) await stream.content.decideFormat();
    if (turn.length > 0 && (await this.#parts.state.saveCheckpoints()))
      for (const stream of turn) this.#open(stream);
    if (this.isAnyDraining()) this.#scheduleDrainCheck(DRAIN_CHECK_MS);
    this.#parts.onChange();
  }

  /**
   * The aggregator has other bytes under the id of the stream: a new stream continues at the own checkpoint.
   */
  async replace(stream: FileStream): Promise<void> {
    const { id, path } = stream;
    if (!this.#files.streams.has(id)) return;
    // The ledger has no gaps of the new stream yet.
    const { holes: _holes, ...known } = stream.checkpoint();
    const mark = known.marks.at(-1);
    if (mark === undefined) return;
    const { file, entry, sizeBytes, modifiedUnixMs } = stream;
    const replacement = this.#parts.createStream({
      id: mintStreamId(),
      checkpoint: { ...known, start: mark[0], marks: [mark], acceptedBefore: acceptedBytesOf(known) },
      ...{ file, entry, sizeBytes, modifiedUnixMs },
    });
    replacement.presence.inherit(stream.presence);
    this.#remove(stream);
    this.#files.follow(replacement);
    this.#parts.order.replace(stream, replacement);
    this.#checkpoints.remove(id);
    this.#checkpoints.change(replacement.id, () => replacement.checkpoint());
    this.#parts.events.diverged({ stream: id, path, replacement: replacement.id, position: mark[0] });
    this.#sink?.close(id);
    await this.openNext();
  }

  /** Whether a generation is read to its end before the next one, or before it is forgotten. */
  isAnyDraining(): boolean {
    for (const stream of this.#files.streams.values()) if (isDraining(stream)) return true;
    return false;
  }

  /** The stream ends, and is not remembered: the next scan finds a file that it does not know. */
  forget(stream: FileStream): void {
    const { id, path, position } = stream;
    this.#remove(stream);
    this.#parts.order.remove(stream);
    this.#checkpoints.remove(id);
    this.#sink?.close(id);
    stream.end();
    this.#parts.events.forgotten({ stream: id, path, position });
  }

  #open(stream: FileStream): void {
    const isNew = !stream.isOpened;
    stream.open();
    if (isNew) this.#sink?.open(stream);
  }

  /** A stream that has ended is kept as a dormant one: its file may be found again. */
  #removeEnded(): void {
    for (const stream of this.#files.streams.values()) {
      if (!stream.isEnded || stream.isDiverged) continue;
      if (stream.isOpened && stream.accepted < stream.position) continue;
      this.#remove(stream);
      const { lostBytes } = stream;
      const checkpoint = {
        ...stream.checkpoint(),
        finished: true as const,
        ...(lostBytes > 0 ? { lostBytes } : {}),
      };
      if (stream.accepted > stream.start) {
        this.#files.dormant.add(stream.id, checkpoint);
        this.#checkpoints.change(stream.id, () => checkpoint);
      } else {
        this.#files.remember(checkpoint);
        this.#checkpoints.remove(stream.id);
      }
    }
  }

  #remove(stream: FileStream): void {
    this.#acceptedBefore = plus(this.#acceptedBefore, stream.content.acceptedReads);
    this.#files.forget(stream);
  }

  #scheduleDrainCheck(afterMs: number): void {
    if (this.#isStopped) return;
    if (afterMs === 0) this.#drainTimer.set(0);
    else this.#drainTimer.setIfUnset(afterMs);
  }

  async #checkDraining(): Promise<void> {
    const { clock, events } = this.#parts;
    for (const stream of this.#files.streams.values()) {
      if (!isDraining(stream)) continue;
      const outcome = await checkDrained(stream, clock, events);
      if (outcome === 'lost') this.#parts.onLost(stream);
      if (outcome === 'handed-over' || outcome === 'finished') stream.handOver();
      if (outcome === 'finished') this.#finish(stream);
    }
    await this.#openAfterScan();
  }

  #finish(stream: FileStream): void {
    this.#parts.events.finished({ stream: stream.id, path: stream.path, position: stream.accepted });
    stream.end();
  }

  /**
   * A generation that waited for its turn may have been copied and truncated in the meantime. When no byte of
   * it was read, its beginning is no evidence, because the next generation may begin with the same bytes. A
   * scan before the turn finds the copy, which is read first.
   */
  async #openAfterScan(): Promise<void> {
    const scan = this.#parts.order.isAnyWaiting() ? this.#parts.scan() : undefined;
    await (scan === undefined ? this.openNext() : scan());
  }
}

export interface StreamTurnsParts {
  readonly files: FollowedFiles;
  readonly order: GenerationOrder;
  readonly state: TailState;
  readonly clock: Clock;
  readonly events: TailEvents;
  readonly createStream: (stream: NewStream) => FileStream;
  /** Runs one decision after the other. */
  readonly decide: (decision: () => Promise<void>) => Promise<void>;
  /** Scans, and opens the streams whose turn it is then; undefined when no scan is possible. */
  readonly scan: () => (() => Promise<void>) | undefined;
  /** The file of the stream does not hold its bytes. */
  readonly onLost: (stream: FileStream) => void;
  readonly onChange: () => void;
}
