import type { CompressionName } from '../../records/compression.ts';
import { isLoopback, parseAddress } from '../../runtime/configuration/address.ts';

/** COLLECTOR_COMPRESSION */
export type CompressionSetting = CompressionName | 'auto';

/** Decides how the next batch of a call is compressed. It is informed of each message that is sent. */
export interface CompressionChoice {
  readonly current: CompressionName;
  /** The transport has received a message. */
  sending(nowMs: number): void;
  /** The transport has passed a message of this size on to the network. */
  sent(bytes: number, nowMs: number): void;
}

/** `auto`: none on the same machine, where bytes cost less than LZ4; elsewhere as the link requires. */
export function chooseCompression(setting: CompressionSetting, address: string): CompressionChoice {
  if (setting !== 'auto') return new FixedCompression(setting);
  return isOnThisMachine(address) ? new FixedCompression('none') : new AdaptiveCompression();
}

function isOnThisMachine(address: string): boolean {
  if (address.startsWith('unix:')) return true;
  const parsed = parseAddress(address);
  return parsed !== undefined && isLoopback(parsed);
}

class FixedCompression implements CompressionChoice {
  readonly current: CompressionName;

  constructor(name: CompressionName) {
    this.current = name;
  }

  sending(): void {}

  sent(): void {}
}

/** Bytes on the wire per decision: several times the bytes that the buffers of sockets absorb at once. */
const SAMPLE_BYTES = 16 * 1024 * 1024;
/** A sample that takes longer says nothing: its messages fit into the buffers of the socket. */
const LONGEST_SAMPLE_MS = 2_000;
/** From this speed on, LZ4 costs more time than it saves. */
const FAST_BYTES_PER_MS = 300_000;
/** Below this speed, the link is the limit. */
const SLOW_BYTES_PER_MS = 150_000;
const FIRST_PAUSE_MS = 60_000;
const LONGEST_PAUSE_MS = 60 * 60_000;

/**
 * Adapts compression to the speed of the link, which is the number of sent bytes per time that the transport needs
 * for them. Time without a message under way does not count.
 *
 *     lz4 -> none    a sample of 16 MiB was sent in less than 2 s, at 300 MB/s or more
 *     none -> lz4    at less than 150 MB/s. The next try without compression follows after a minute; after each
 *                    failed try, the pause doubles, up to an hour
 *
 * A collector with few records keeps LZ4: it has no sample, and the cost of compression does not matter.
 */
export class AdaptiveCompression implements CompressionChoice {
  #current: CompressionName = 'lz4';
  #underWay = 0;
  #busySinceMs = 0;
  #busyMs = 0;
  #bytes = 0;
  #sampleSinceMs: number | undefined;
  #mayTryFromMs = Number.NEGATIVE_INFINITY;
  #pauseMs = FIRST_PAUSE_MS;

  get current(): CompressionName {
    return this.#current;
  }

  sending(nowMs: number): void {
    this.#sampleSinceMs ??= nowMs;
    if (this.#underWay === 0) this.#busySinceMs = nowMs;
    this.#underWay++;
  }

  sent(bytes: number, nowMs: number): void {
    this.#underWay--;
    this.#busyMs += nowMs - this.#busySinceMs;
    this.#busySinceMs = nowMs;
    this.#bytes += bytes;
    if (this.#bytes < SAMPLE_BYTES) return;
    const sinceMs = this.#sampleSinceMs ?? nowMs;
    this.#decide(this.#bytes / Math.max(this.#busyMs, 0.001), nowMs - sinceMs, nowMs);
    this.#bytes = 0;
    this.#busyMs = 0;
    this.#sampleSinceMs = this.#underWay > 0 ? nowMs : undefined;
  }

  #decide(bytesPerMs: number, sampleMs: number, nowMs: number): void {
    if (this.#current === 'none') {
      if (bytesPerMs < SLOW_BYTES_PER_MS) this.#compressAgain(nowMs);
    } else if (
      sampleMs < LONGEST_SAMPLE_MS &&
      bytesPerMs >= FAST_BYTES_PER_MS &&
      nowMs >= this.#mayTryFromMs
    ) {
      this.#current = 'none';
    }
  }

  #compressAgain(nowMs: number): void {
    this.#current = 'lz4';
    this.#mayTryFromMs = nowMs + this.#pauseMs;
    this.#pauseMs = Math.min(LONGEST_PAUSE_MS, this.#pauseMs * 2);
  }
}
