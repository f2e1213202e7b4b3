import { type LogShape, SHAPE_INDEX } from '../../../protocols/febe/log-shape.ts';

/** Maximum number of ended sessions that are remembered: their processes may connect again. */
const REMEMBERED_SESSIONS = 4096;

/**
 * Detects records that did not arrive. A PostgreSQL process numbers its records 1, 2, 3 ..., and also counts a record
 * that it cannot send. It uses one connection until that breaks, and then another one.
 */
export class GapDetector {
  /** The last number of each session that has no connection now; the session that ended first is first. */
  readonly #ended = new Map<string, number>();

  /** For a new connection. */
  track(): SessionTrack {
    return new SessionTrack(this.#ended);
  }
}

/** The numbers on one connection. */
export class SessionTrack {
  readonly #ended: Map<string, number>;
  #session: string | undefined;
  #pid = 0;
  #last = 0;

  constructor(ended: Map<string, number>) {
    this.#ended = ended;
  }

  /** Returns the number of records that are missing before this one. */
  missedBefore(payload: Uint8Array, shape: LogShape): number {
    const pid = readInt32(payload, shape.starts[SHAPE_INDEX.pid] ?? 0);
    const sequenceAt = shape.starts[SHAPE_INDEX.sequence] ?? 0;
    const sequence = readInt32(payload, sequenceAt) * 2 ** 32 + (readInt32(payload, sequenceAt + 4) >>> 0);
    if (this.#session === undefined || pid !== this.#pid) this.#begin(pid, payload, shape, sequence);
    const missed = sequence - this.#last - 1;
    this.#last = sequence;
    return Math.max(missed, 0);
  }

  /** The connection has ended. */
  end(): void {
    if (this.#session === undefined) return;
    this.#ended.set(this.#session, this.#last);
    const [oldest] = this.#ended.keys();
    if (this.#ended.size > REMEMBERED_SESSIONS && oldest !== undefined) this.#ended.delete(oldest);
  }

  #begin(pid: number, payload: Uint8Array, shape: LogShape, sequence: number): void {
    const from = shape.starts[SHAPE_INDEX.sessionId] ?? 0;
    const sessionId = Buffer.from(payload.subarray(from, (shape.starts[SHAPE_INDEX.sessionId + 1] ?? 0) - 1));
    this.#session = `${sessionId.toString('latin1')} ${pid}`;
    this.#pid = pid;
    // Earlier records of an unknown session may have arrived before the collector started.
    this.#last = this.#ended.get(this.#session) ?? sequence - 1;
    this.#ended.delete(this.#session);
  }
}

function readInt32(bytes: Uint8Array, at: number): number {
  return (
    ((bytes[at] ?? 0) << 24) |
    ((bytes[at + 1] ?? 0) << 16) |
    ((bytes[at + 2] ?? 0) << 8) |
    (bytes[at + 3] ?? 0)
  );
}
