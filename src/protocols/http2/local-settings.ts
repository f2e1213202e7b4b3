import { ERROR_CODE } from './error-codes.ts';
import type { Http2Clock } from './http2-clock.ts';
import { Http2Error } from './http2-error.ts';
import { DEFAULT_WINDOW_BYTES, encodeSettings, SETTING, type Settings } from './settings.ts';

const ACKNOWLEDGED_WITHIN_MS = 20_000;

/**
 * The settings of this side. Only the window of streams changes later. A peer uses a setting at an unknown moment before it
 * acknowledges it, so the larger of the two windows is permitted until then. At most one change is not acknowledged.
 */
export class LocalSettings {
  readonly #options: LocalSettingsOptions;
  #acknowledged = DEFAULT_WINDOW_BYTES;
  #underWay: number | undefined;
  #wanted = DEFAULT_WINDOW_BYTES;
  #cancelDeadline: () => void = () => {};

  constructor(options: LocalSettingsOptions) {
    this.#options = options;
  }

  /** The window of a new stream: what to aim at, and what the peer may send. A larger window counts when it is sent. */
  get streamWindow(): { readonly target: number; readonly available: number } {
    const sent = this.#underWay ?? this.#acknowledged;
    return { target: Math.min(this.#wanted, sent), available: this.#permitted };
  }

  begin(streamWindowBytes: number, others: Settings): void {
    this.#wanted = streamWindowBytes;
    this.#send(others);
  }

  /** Returns by how much the windows of open streams change now. */
  resize(bytes: number): number {
    const before = this.#permitted;
    this.#wanted = bytes;
    if (this.#underWay === undefined && bytes !== this.#acknowledged) this.#send([]);
    return this.#permitted - before;
  }

  /** Returns by how much the windows of open streams change now. Throws `Http2Error`. */
  acknowledged(): number {
    const before = this.#permitted;
    if (this.#underWay === undefined)
      throw new Http2Error(ERROR_CODE.protocolError, 'the peer acknowledged settings that were not sent');
    this.#cancelDeadline();
    this.#acknowledged = this.#underWay;
    this.#underWay = undefined;
    if (this.#wanted !== this.#acknowledged) this.#send([]);
    return this.#permitted - before;
  }

  stop(): void {
    this.#cancelDeadline();
  }

  get #permitted(): number {
    return Math.max(this.#acknowledged, this.#underWay ?? 0);
  }

  #send(others: Settings): void {
    const { clock, send, timedOut } = this.#options;
    this.#underWay = this.#wanted;
    send(encodeSettings([[SETTING.initialWindowSize, this.#wanted], ...others]));
    this.#cancelDeadline = clock.after(ACKNOWLEDGED_WITHIN_MS, timedOut);
  }
}

export interface LocalSettingsOptions {
  readonly clock: Http2Clock;
  readonly send: (payload: Buffer) => void;
  /** The peer has not acknowledged the settings in time. */
  readonly timedOut: () => void;
}
