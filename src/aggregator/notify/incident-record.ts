import { z } from 'zod';
import type { Json } from '../../records/json.ts';
import type { Incident, IncidentDetails } from './notifier.ts';

export type IncidentRecord = Readonly<z.infer<typeof incidentRecord>>;

/** One incident, in the form that is stored on disk. */
const common = z.object({
  /** The key that opened it, whatever the configuration is today. */
  dedupKey: z.string(),
  /** The desired state. */
  isOpen: z.boolean(),
  /** A trigger was sent, so PagerDuty may show the incident. */
  mayBeShown: z.boolean(),
  /** The newest state was not sent yet. */
  isUnsent: z.boolean(),
  reason: z.string(),
  records: z.number(),
  bytes: z.number(),
  attempts: z.number(),
  batchId: z.string().nullable(),
  firstFailedAt: z.string(),
});
const incidentRecord = z.discriminatedUnion('kind', [
  common.extend({ kind: z.enum(['delivery', 'dead-letters', 'queue']), emitter: z.string() }),
  common.extend({ kind: z.literal('alert'), alert: z.string(), segment: z.string().nullable() }),
  common.extend({ kind: z.literal('evaluation'), alert: z.string() }),
]);

/** Truncates long reasons: an event must stay far below 512 KB, and the state small. */
const REASON_CHARACTERS = 1000;

/** The incident after a further trigger. */
export function triggered(
  { dedupKey, ...incident }: Incident & { readonly dedupKey: string },
  before: IncidentRecord | undefined,
  details: IncidentDetails,
  nowUnixNano: bigint,
): IncidentRecord {
  const open = before?.isOpen ? before : undefined;
  const since = details.sinceUnixNano ?? nowUnixNano;
  return {
    ...incident,
    dedupKey: before?.dedupKey ?? dedupKey,
    isOpen: true,
    mayBeShown: before?.mayBeShown ?? false,
    isUnsent: true,
    reason: details.reason.slice(0, REASON_CHARACTERS),
    records: (open?.records ?? 0) + details.records,
    bytes: (open?.bytes ?? 0) + details.bytes,
    attempts: (open?.attempts ?? 0) + details.attempts,
    batchId: details.batchId ?? open?.batchId ?? null,
    firstFailedAt: open?.firstFailedAt ?? new Date(Number(since / 1_000_000n)).toISOString(),
  };
}

/** The identity of a record. */
export function incidentOf(record: IncidentRecord): Incident {
  if (record.kind === 'alert') return { kind: record.kind, alert: record.alert, segment: record.segment };
  if (record.kind === 'evaluation') return { kind: record.kind, alert: record.alert };
  return { kind: record.kind, emitter: record.emitter };
}

export function toJson(records: Iterable<IncidentRecord>): Json {
  return { version: 1, incidents: [...records].map((record) => ({ ...record })) };
}

/** Returns the readable incidents: damaged state may leave an incident open, but never prevents a start. */
export function fromJson(state: Json | undefined): IncidentRecord[] {
  const { data } = z.object({ incidents: z.array(z.unknown()) }).safeParse(state);
  return (data?.incidents ?? []).flatMap((incident) => incidentRecord.safeParse(incident).data ?? []);
}
