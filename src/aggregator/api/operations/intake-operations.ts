import { z } from 'zod';
import type { StatusReport } from '../../../records/gen/megacollector/v1/aggregator.ts';
import type { Position } from '../../../records/position.ts';
import type { StreamId } from '../../../records/stream-id.ts';
import type { CounterRates, Counters } from '../../../runtime/counter-rates.ts';
import { largest } from '../../../runtime/largest.ts';
import { type Operation, operation } from '../../../runtime/operations/operation.ts';
import type { CollectorRegister, KnownCollector } from '../../intake/activity/collector-register.ts';
import type { ActiveStream, StreamRegister } from '../../intake/activity/stream-register.ts';
import { explanationOf } from './collector-explanation.ts';
import { type CollectorReport, collectorReport, type StreamReport, streamReport } from './intake-reports.ts';

/** The means of the operations on the intake. */
export interface IntakeContext {
  /** undefined: no intake has started. */
  readonly activity?: () => IntakeActivity | undefined;
  /** Absent: `sort=rate` returns no rates. */
  readonly streamRates?: CounterRates;
}

export interface IntakeActivity {
  readonly collectors: Pick<CollectorRegister, 'list' | 'connected' | 'explain'>;
  readonly streams: Pick<StreamRegister, 'list' | 'count' | 'entries'>;
  /** The bytes of a stream that the ledger has. */
  readonly acceptedBytes: (stream: StreamId) => Position;
}

export const listCollectors = operation({
  id: 'listCollectors',
  method: 'GET',
  path: '/v1/collectors',
  tag: 'intake',
  summary: 'List the collectors that are connected, or that were since the start of the aggregator.',
  status: 200,
  answer: z.object({ collectors: z.array(collectorReport) }),
  run: async ({ activity }: IntakeContext) => ({
    collectors: (activity?.()?.collectors.list() ?? []).map(describedCollector),
  }),
});

export const listStreams = operation({
  id: 'listStreams',
  method: 'GET',
  path: '/v1/streams',
  tag: 'intake',
  summary: 'List the streams with records since the start of the aggregator, the newest first.',
  query: z.strictObject({
    collector: z.string().optional().meta({ description: 'Only the streams of the collector with this id.' }),
    limit: z.int().min(1).max(1000).default(100),
    sort: z
      .enum(['newest', 'rate'])
      .default('newest')
      .meta({ description: 'rate: the streams with most bytes per second since the previous request.' }),
  }),
  status: 200,
  answer: z.object({ streams: z.array(streamReport) }),
  run: async ({ activity, streamRates }: IntakeContext, { query: { limit, collector, sort } }) => {
    const found = activity?.();
    if (found === undefined) return { streams: [] };
    const streams = sort === 'rate' ? fastest(found, limit, { collector, streamRates }) : undefined;
    return {
      streams: (streams ?? found.streams.list(limit, collector)).map((stream) => ({
        ...describedStream(stream, found.acceptedBytes(stream.stream)),
        ...('rates' in stream && ratesReport(stream.rates as Counters | undefined)),
      })),
    };
  },
});

interface FastestOptions {
  readonly collector: string | undefined;
  readonly streamRates: CounterRates | undefined;
}

function fastest(
  { streams }: IntakeActivity,
  limit: number,
  { collector, streamRates }: FastestOptions,
): readonly (ActiveStream & { readonly rates: Counters | undefined })[] {
  const all = [...streams.entries()];
  const counters = new Map(all.map(([id, { records, receivedBytes }]) => [id, [records, receivedBytes]]));
  const ratesOf = streamRates?.measure(counters) ?? (() => undefined);
  const chosen = collector === undefined ? all : all.filter(([, each]) => each.collector === collector);
  // Without rates, the newest are the best guess.
  return largest(chosen.toReversed(), limit, ([id]) => ratesOf(id)?.[1] ?? 0).map(([stream, entry]) => ({
    ...{ stream, ...entry },
    rates: ratesOf(stream),
  }));
}

function ratesReport(rates: Counters | undefined): Partial<StreamReport> {
  if (rates === undefined) return {};
  const [records = 0, bytes = 0] = rates.map((rate) => Math.max(0, Math.round(rate * 10) / 10));
  return { recordsPerSecond: records, bytesPerSecond: bytes };
}

export const explainCollectorFile = operation({
  id: 'explainCollectorFile',
  method: 'GET',
  path: '/v1/collectors/{id}/explain',
  tag: 'intake',
  summary: 'Ask a connected collector how it reads a file, or why it does not.',
  description:
    'The answer is that of `mega-collector explain --json` on the host of the collector, for files that the collector reads or ' +
    'that its patterns match. The operator of a collector can refuse it with COLLECTOR_REMOTE_EXPLAIN=0.',
  parameters: z.strictObject({ id: z.string().meta({ description: 'The id of the collector.' }) }),
  query: z.strictObject({
    file: z.string().min(1).max(4096).meta({
      description: 'An absolute path, `syslog`, the address of a listener, or that of a sender.',
    }),
  }),
  status: 200,
  answer: z.looseObject({}),
  errors: [409, 429],
  run: async ({ activity }: IntakeContext, { parameters, query }) =>
    explanationOf((await activity?.()?.collectors.explain(parameters.id, query.file)) ?? { kind: 'unknown' }),
});

/** The senders of records. */
export const INTAKE_OPERATIONS: readonly Operation<IntakeContext>[] = [
  listCollectors,
  listStreams,
  explainCollectorFile,
];

function describedCollector(collector: KnownCollector): CollectorReport {
  const { id, host, software, address, isConnected, acceptedBytes, report } = collector;
  return {
    id,
    host,
    version: software.replace(/^mega-collector\//, ''),
    address,
    connected: isConnected,
    since: timeText(collector.sinceUnixNano),
    lastSeen: timeText(collector.lastSeenUnixNano),
    acceptedBytes,
    explains: collector.explains,
    ...(report === undefined ? NO_REPORT : reported(report)),
  };
}

const NO_REPORT = {
  reports: false,
  streams: 0,
  lagBytes: 0,
  queuedBytes: 0,
  lostBytes: 0,
  listeners: [],
  problems: [],
};

function reported(
  report: StatusReport,
): Omit<typeof NO_REPORT, 'listeners' | 'problems'> & Pick<CollectorReport, 'listeners' | 'problems'> {
  const { omittedListeners, problems } = report;
  const omitted = omittedListeners > 0 ? [`${omittedListeners} more listeners are not shown`] : [];
  return {
    reports: true,
    streams: report.streams,
    lagBytes: Number(report.lagBytes),
    queuedBytes: Number(report.queuedBytes),
    lostBytes: Number(report.lostBytes),
    listeners: report.listeners.map(({ records, bytes, dropped, kernelDropped, ...listener }) => ({
      ...listener,
      records: Number(records ?? 0n),
      bytes: Number(bytes ?? 0n),
      dropped: Number(dropped),
      kernelDropped: Number(kernelDropped),
    })),
    problems: [...problems, ...omitted],
  };
}

function describedStream(
  { stream, collector, resource, format, lastSeenUnixNano, records }: ActiveStream,
  acceptedBytes: number,
): StreamReport {
  return {
    stream,
    collector: collector ?? '',
    resource: Object.fromEntries(resource),
    format,
    acceptedBytes,
    lastSeen: timeText(lastSeenUnixNano),
    records,
  };
}

function timeText(unixNano: bigint): string {
  return new Date(Number(unixNano / 1_000_000n)).toISOString();
}
