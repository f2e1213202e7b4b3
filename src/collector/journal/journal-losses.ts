import type { Clock } from '../../runtime/clock.ts';
import type { JournalEvents } from './events.ts';
import type { JournalChannel } from './journal-channel.ts';
import { addLoss, type Loss } from './loss.ts';
import type { RecordLabel } from './record-run.ts';

/** Counts the dropped records of each channel, and reports them in the channel's own stream. */
export class JournalLosses {
  readonly #options: JournalLossesOptions;
  #keptMs = Number.NEGATIVE_INFINITY;

  constructor(options: JournalLossesOptions) {
    this.#options = options;
  }

  drop(channel: JournalChannel, bytes: number, label: RecordLabel): void {
    const { events, clock } = this.#options;
    if (channel.loss === undefined) events.streamLosesRecords({ origin: channel.origin });
    events.lost(bytes);
    channel.loss = addLoss(channel.loss, bytes, Number(clock.nowUnixNano() / 1_000_000n));
    channel.lossLabel = label;
    channel.lossChanged = true;
  }

  /**
   * Appends the record that reports the channel's loss, if there is one to report. The record needs no
   * reservation: it is small, and there is one for each loss.
   */
  report(channel: JournalChannel): void {
    const { loss, lossLabel, reporting } = channel;
    if (loss === undefined || lossLabel === undefined || reporting) return;
    const { clock, lossRecord, appended } = this.#options;
    const record = lossRecord(loss, lossLabel);
    channel.reporting = true;
    channel.pending.addLossReport(loss, record, lossLabel, () => clock.nowUnixNano());
    appended(channel, record.length);
  }

  /**
   * The next commit stores the losses that have changed. At most once a second, unless it is the last commit:
   * losses while a disk is full must not keep the disk busy.
   */
  keep(channels: Iterable<JournalChannel>, isLast: boolean): void {
    const nowMs = this.#options.clock.monotonicMs();
    if (nowMs - this.#keptMs < KEEP_LOSS_AFTER_MS && !isLast) return;
    this.#keptMs = nowMs;
    for (const channel of channels) {
      if (channel.lossChanged) channel.dirty = true;
      channel.lossChanged = false;
    }
  }
}

export const KEEP_LOSS_AFTER_MS = 1000;

interface JournalLossesOptions {
  readonly clock: Clock;
  readonly events: JournalEvents;
  readonly lossRecord: (loss: Loss, label: RecordLabel) => Uint8Array;
  /** Called after a record was appended to the channel. */
  readonly appended: (channel: JournalChannel, bytes: number) => void;
}
