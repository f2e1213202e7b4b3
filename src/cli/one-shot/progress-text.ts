import type { OneShotReport } from '../../collector/one-shot-report.ts';
import { formatByteSize } from '../../runtime/configuration/byte-size.ts';
import { count } from '../output/text-table.ts';
import { RemainingRate } from './remaining-rate.ts';

type Progress = Pick<OneShotReport, 'accepted' | 'remainingBytes' | 'undeliveredRecords'>;

/** The progress of one run as text, from one sample to the next. */
export class ProgressText {
  readonly #bytes = new RemainingRate();
  readonly #records = new RemainingRate();

  /** Shows first how much of the files is read, then how many records are left to write. */
  next(atMs: number, { accepted, remainingBytes, undeliveredRecords = 0 }: Progress): string {
    this.#bytes.add(atMs, remainingBytes);
    if (remainingBytes > 0) return this.#reading(accepted.bytes, remainingBytes);
    this.#records.add(atMs, undeliveredRecords);
    const left = `Writing to the store: ${count(undeliveredRecords)} records left`;
    return undeliveredRecords > 0 ? left + timeLeft(this.#records.secondsLeft) : '';
  }

  #reading(acceptedBytes: number, remainingBytes: number): string {
    const all = acceptedBytes + remainingBytes;
    const percent = Math.floor((100 * acceptedBytes) / all);
    const { perSecond: rate, secondsLeft } = this.#bytes;
    const speed = rate === undefined ? '' : `, ${formatByteSize(Math.round(rate))}/s`;
    return `Read ${formatByteSize(acceptedBytes)} of ${formatByteSize(all)} (${percent} %)${speed}${timeLeft(secondsLeft)}`;
  }
}

function timeLeft(seconds: number | undefined): string {
  return seconds === undefined ? '' : `, ${duration(Math.ceil(seconds))} left`;
}

function duration(seconds: number): string {
  if (seconds < 60) return `${seconds} s`;
  const minutes = Math.round(seconds / 60);
  return minutes < 60 ? `${minutes} min` : `${Math.floor(minutes / 60)} h ${minutes % 60} min`;
}
