import type { StreamId } from '../records/stream-id.ts';
import type { Clock } from '../runtime/clock.ts';
import { CounterRates } from '../runtime/counter-rates.ts';
import { largest } from '../runtime/largest.ts';
import type { TopStreamReport, TopStreamsKey } from './collector-reports.ts';
import type { StreamStatus } from './stream-status.ts';

/** The records of a stream that were sent since the start; undefined: the stream is not open. */
export type SentRecords = (stream: StreamId) => number | undefined;

interface Measured {
  readonly status: StreamStatus;
  readonly rates: readonly number[] | undefined;
}

/** The streams that `top` shows, with their rates since its previous request. */
export class TopStreams {
  readonly #rates: CounterRates;

  constructor(clock: Clock) {
    this.#rates = new CounterRates(clock);
  }

  list(
    streams: readonly StreamStatus[],
    { limit, key, sentRecords }: { limit: number; key: TopStreamsKey; sentRecords: SentRecords },
  ): readonly TopStreamReport[] {
    const counters = new Map(
      streams.map(({ stream, acceptedBytes, waitingBytes }) => [
        stream as string,
        [acceptedBytes, waitingBytes, sentRecords(stream) ?? 0],
      ]),
    );
    const ratesOf = this.#rates.measure(counters);
    const measured = streams.map((status) => ({ status, rates: ratesOf(status.stream) }));
    if (key === 'name')
      return measured
        .sort((a, b) => (a.status.origin < b.status.origin ? -1 : 1))
        .slice(0, limit)
        .map(reported);
    return largest(measured, limit, KEYS[key]).map(reported);
  }
}

const KEYS: Readonly<Record<Exclude<TopStreamsKey, 'name'>, (each: Measured) => number>> = {
  rate: ({ rates: [bytes = 0] = [], status }) => bytes + status.waitingBytes / BEHIND,
  backlog: ({ status }) => status.waitingBytes,
  lag: ({ status }) => status.oldestWaitingMs ?? 0,
};

/** Orders streams of the same rate by their backlog: a backlog adds less than a byte per second. */
const BEHIND = Number.MAX_SAFE_INTEGER;

function reported({ status, rates }: Measured): TopStreamReport {
  const { stream, origin, readBytes, acceptedBytes, waitingBytes, oldestWaitingMs } = status;
  const waiting = readBytes - acceptedBytes;
  const balance = { read: readBytes, accepted: acceptedBytes, waiting, unread: waitingBytes - waiting };
  return {
    ...{ stream, source: origin, ...balance },
    ...(oldestWaitingMs !== undefined && { lagSeconds: tenths(oldestWaitingMs / 1000) }),
    ...ratesText(rates, waitingBytes),
  };
}

function ratesText(rates: readonly number[] | undefined, waitingBytes: number): Partial<TopStreamReport> {
  if (rates === undefined) return {};
  const [bytes = 0, growth = 0, records = 0] = rates;
  const catchUpSeconds = waitingBytes === 0 ? 0 : growth < 0 ? Math.ceil(waitingBytes / -growth) : undefined;
  return {
    bytesPerSecond: Math.max(0, tenths(bytes)),
    recordsPerSecond: Math.max(0, tenths(records)),
    ...(catchUpSeconds !== undefined && { catchUpSeconds }),
  };
}

function tenths(value: number): number {
  return Math.round(value * 10) / 10;
}
