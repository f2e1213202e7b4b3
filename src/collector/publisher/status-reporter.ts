import { StatusReport } from '../../records/gen/megacollector/v1/aggregator.ts';
import { repeat } from '../../runtime/async/repeat.ts';
import type { Cancel, Clock } from '../../runtime/clock.ts';

/** Sends the state of the collector on one call: at its beginning, and later when it has changed. */
export class StatusReporter {
  readonly #options: StatusReporterOptions;
  #cancel: Cancel = () => {};
  #lastSent: Buffer | undefined;

  constructor(options: StatusReporterOptions) {
    this.#options = options;
  }

  start(): void {
    const { clock } = this.#options;
    this.#cancel();
    this.#report();
    this.#cancel = repeat(clock, INTERVAL_MS, () => this.#report());
  }

  stop(): void {
    this.#cancel();
  }

  #report(): void {
    const { status, send } = this.#options;
    const report = status();
    const encoded = Buffer.from(StatusReport.encode(report).finish());
    if (this.#lastSent?.equals(encoded)) return;
    this.#lastSent = encoded;
    send(report);
  }
}

const INTERVAL_MS = 10_000;

export interface StatusReporterOptions {
  readonly status: () => StatusReport;
  readonly send: (report: StatusReport) => void;
  readonly clock: Clock;
}
