import { errorMessage } from '../../runtime/error-message.ts';
import { NOT_RUNNING, type TopQuery, type TopReading, type TopTarget, type TopView } from './top-reading.ts';

/** Keeps the readings of one target. A process that goes away and returns begins again. */
export class TopObserver {
  readonly target: TopTarget;
  #newest: TopReading | undefined;
  #before: TopReading | undefined;
  #away: string | undefined;

  constructor(target: TopTarget) {
    this.target = target;
  }

  get view(): TopView {
    const { target } = this;
    return { target, newest: this.#newest, before: this.#before, away: this.#away };
  }

  /** Never rejects. */
  async observe(query: TopQuery): Promise<void> {
    try {
      const reading = await this.target.read(query);
      if (reading === undefined) this.#gone(NOT_RUNNING);
      else this.#take(reading);
    } catch (error) {
      this.#gone(errorMessage(error));
    }
  }

  #take(reading: TopReading): void {
    const isSameRun =
      this.#away === undefined && this.#newest !== undefined && continues(this.#newest, reading);
    this.#before = isSameRun ? this.#newest : undefined;
    this.#newest = reading;
    this.#away = undefined;
  }

  /** The last numbers are not shown any more: they would look like current ones. */
  #gone(reason: string): void {
    this.#newest = undefined;
    this.#before = undefined;
    this.#away = reason;
  }
}

/** A counter of the start of a process that is lower shows that it was restarted between two readings. */
function continues(before: TopReading, now: TopReading): boolean {
  if (before.role === 'collector' && now.role === 'collector')
    return (now.status.sentRecords ?? 0) >= (before.status.sentRecords ?? 0);
  return before.role === now.role;
}
