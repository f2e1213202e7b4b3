import type { AmountReport, EmitterBalanceReport } from '../../aggregator/api/operations/queue-reports.ts';
import type { AggregatorReading, CollectorReading, TopView } from './top-reading.ts';

export interface Rate {
  readonly recordsPerSecond: number | undefined;
  readonly bytesPerSecond: number | undefined;
}

export interface CatchUp {
  /** undefined: it is not known, or the backlog does not get shorter. */
  readonly catchUpSeconds: number | undefined;
}

const UNKNOWN: Rate & CatchUp = {
  recordsPerSecond: undefined,
  bytesPerSecond: undefined,
  catchUpSeconds: undefined,
};

/** The whole collector, between its two readings. */
export function collectorRate(now: CollectorReading, { before }: Pick<TopView, 'before'>): Rate & CatchUp {
  if (before?.role !== 'collector') return UNKNOWN;
  const seconds = (now.atMs - before.atMs) / 1000;
  const backlog = backlogOf(now);
  const records = (now.status.sentRecords ?? 0) - (before.status.sentRecords ?? 0);
  return {
    recordsPerSecond: perSecond(records, seconds),
    bytesPerSecond: perSecond(now.status.accepted - before.status.accepted, seconds),
    catchUpSeconds: endOf(backlog, backlogOf(before) - backlog, seconds),
  };
}

/** Bytes that exist and are not accepted. */
export function backlogOf({ status: { waiting, unread } }: CollectorReading): number {
  return waiting + unread;
}

/** The records that an aggregator accepts. */
export function intakeRate({ atMs, status }: AggregatorReading, { before }: Pick<TopView, 'before'>): Rate {
  if (before?.role !== 'aggregator') {
    const { recordsPerSecond, bytesPerSecond } = status.intake ?? {};
    return { recordsPerSecond, bytesPerSecond };
  }
  return amountRate(status.accepted, before.status.accepted, (atMs - before.atMs) / 1000);
}

/** The records that an emitter delivers. Between two readings nothing may be delivered: then as in the last minute. */
export function emitterRate(
  now: EmitterBalanceReport,
  { newest, before }: Pick<TopView, 'newest' | 'before'>,
): Rate & CatchUp {
  const then =
    before?.role === 'aggregator'
      ? before.status.emitters.find(({ emitter }) => emitter === now.emitter)
      : undefined;
  const { recordsPerSecond, catchUpSeconds } = now;
  if (then === undefined || newest === undefined || before === undefined)
    return { recordsPerSecond, bytesPerSecond: undefined, catchUpSeconds };
  const seconds = (newest.atMs - before.atMs) / 1000;
  const shorter = then.queued.records - now.queued.records;
  return {
    ...amountRate(now.delivered, then.delivered, seconds),
    catchUpSeconds: catchUpSeconds ?? endOf(now.queued.records, shorter, seconds),
  };
}

function amountRate(now: AmountReport, then: AmountReport, seconds: number): Rate {
  return {
    recordsPerSecond: perSecond(now.records - then.records, seconds),
    bytesPerSecond: perSecond(now.bytes - then.bytes, seconds),
  };
}

/** An operator may have forgotten an emitter or a file: a rate is never below 0. */
function perSecond(amount: number, seconds: number): number | undefined {
  return seconds <= 0 ? undefined : Math.max(0, Math.round((amount / seconds) * 10) / 10);
}

function endOf(amount: number, shorter: number, seconds: number): number | undefined {
  if (amount === 0) return 0;
  return shorter > 0 && seconds > 0 ? Math.ceil((amount / shorter) * seconds) : undefined;
}
