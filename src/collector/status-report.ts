import { type ListenerReport, StatusReport } from '../records/gen/megacollector/v1/aggregator.ts';
import type { ListenerStatus, SourceStatus } from './source.ts';

/**
 * The state of a collector for its aggregator. The size is limited: first the senders are left out, then
 * listeners, and their number is reported.
 */
export function statusReport(
  sources: readonly SourceStatus[],
  {
    maxBytes = MAX_BYTES,
    failure,
  }: { readonly maxBytes?: number; readonly failure?: string | undefined } = {},
): StatusReport {
  const streams = sources.flatMap((source) => source.streams);
  const listeners = sources.flatMap((source) => source.listeners ?? []);
  const sum = (amounts: readonly number[]) => BigInt(amounts.reduce((total, amount) => total + amount, 0));
  const report = {
    lagBytes: sum(streams.map(({ waitingBytes }) => waitingBytes)),
    queuedBytes: sum(streams.map(({ readBytes, acceptedBytes }) => readBytes - acceptedBytes)),
    lostBytes: sum(sources.map(({ lostBytes = 0 }) => lostBytes)),
    streams: streams.length,
    listeners: listeners.map(listenerReport),
    omittedListeners: 0,
    problems: problemsOf(sources, listeners, failure),
  };
  return fitting(report, maxBytes);
}

/** As the protocol says. */
const MAX_BYTES = 16 * 1024;
const MAX_SENDERS = 20;
const MAX_PROBLEMS = 8;
const MAX_CHARACTERS = 255;

function listenerReport({
  listener,
  address = '',
  clients,
  dropped,
  records,
  bytes,
}: ListenerStatus): ListenerReport {
  const scheme = /^([a-z+]+):\/\//.exec(listener)?.[1];
  return {
    name: limited(listener),
    address: limited(address),
    protocol: scheme ?? '',
    clients: clients.length,
    records: records === undefined ? undefined : BigInt(records),
    bytes: bytes === undefined ? undefined : BigInt(bytes),
    dropped: BigInt(dropped.noRoom + (dropped.thread ?? 0)),
    kernelDropped: BigInt(dropped.kernel ?? 0),
    senders: clients
      .slice(0, MAX_SENDERS)
      .map(({ address: sender, sockets }) => ({ address: limited(sender), sockets })),
  };
}

function problemsOf(
  sources: readonly SourceStatus[],
  listeners: readonly ListenerStatus[],
  failure: string | undefined,
): string[] {
  const all = [failure, ...listeners.map((each) => each.failure), ...sources.map((each) => each.failure)];
  const texts = all.filter((text) => text !== undefined).map(limited);
  return [...new Set(texts)].slice(0, MAX_PROBLEMS);
}

function fitting(report: StatusReport, maxBytes: number): StatusReport {
  if (sizeOf(report) <= maxBytes) return report;
  let fitted = { ...report, listeners: report.listeners.map((each) => ({ ...each, senders: [] })) };
  while (sizeOf(fitted) > maxBytes && fitted.listeners.length > 0) {
    const kept = fitted.listeners.slice(0, Math.floor(fitted.listeners.length * KEPT_FRACTION));
    fitted = { ...fitted, listeners: kept, omittedListeners: report.listeners.length - kept.length };
  }
  return fitted;
}

const KEPT_FRACTION = 0.8;

function sizeOf(report: StatusReport): number {
  return StatusReport.encode(report).finish().length;
}

function limited(text: string): string {
  return text.slice(0, MAX_CHARACTERS);
}
