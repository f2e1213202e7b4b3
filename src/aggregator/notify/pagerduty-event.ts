import { createHash } from 'node:crypto';
import type { IncidentRecord } from './incident-record.ts';
import type { EmitterIncidentKind, Incident } from './notifier.ts';

/** Body of `POST /v2/enqueue` (Events API v2). */
export interface PagerDutyEvent {
  /** Secret. */
  readonly routing_key: string;
  readonly event_action: 'trigger' | 'resolve';
  readonly dedup_key: string;
  /** Only with `trigger`. */
  readonly payload?: PagerDutyPayload;
}

export interface PagerDutyPayload {
  readonly summary: string;
  readonly source: string;
  readonly severity: 'critical' | 'error' | 'warning' | 'info';
  readonly custom_details: { readonly [key: string]: string | number };
}

const SUMMARY_LIMIT = 1024;
const DEDUP_KEY_LIMIT = 255;
const CONTROL_CHARACTERS = /[\p{Cc}\p{Zl}\p{Zp}]+/gu;

const DEDUP_SUFFIX: Record<EmitterIncidentKind, string> = {
  delivery: '',
  'dead-letters': '/dead-letters',
  queue: '/queue',
};

const WHAT: Record<Incident['kind'], string> = {
  alert: 'Alert',
  evaluation: 'Aggregator cannot check an alert',
  delivery: 'Aggregator failed to emit',
  'dead-letters': 'Aggregator holds rejected records',
  queue: 'Aggregator queue is filling up',
};

const SEVERITY: Record<Incident['kind'], PagerDutyPayload['severity']> = {
  alert: 'error',
  evaluation: 'error',
  delivery: 'error',
  'dead-letters': 'warning',
  queue: 'critical',
};

/**
 * `<incident_key>` with one emitter, `<incident_key>/<name>` with several. For an alert,
 * `<incident_key>/alerts/<id>` and the segment if there is one; all aggregators use the same.
 */
export function dedupKeyOf(incident: Incident, incidentKey: string, hasSeveral: boolean): string {
  const key = `${incidentKey}${dedupSuffixOf(incident, hasSeveral)}`;
  if (key.length <= DEDUP_KEY_LIMIT) return key;
  return `${cut(key, 190)}-${createHash('sha256').update(key).digest('hex')}`;
}

function dedupSuffixOf(incident: Incident, hasSeveral: boolean): string {
  if (incident.kind === 'evaluation') return `/evaluation/${incident.alert}`;
  if (incident.kind !== 'alert') {
    return `${hasSeveral ? `/${incident.emitter}` : ''}${DEDUP_SUFFIX[incident.kind]}`;
  }
  return `/alerts/${incident.alert}${incident.segment === null ? '' : `/${incident.segment}`}`;
}

export function payloadOf(record: IncidentRecord, identifier: string, source: string): PagerDutyPayload {
  return {
    summary: summaryOf(`${WHAT[record.kind]}: ${identifier} (${subjectOf(record)}): ${record.reason}`),
    source: source.trim() === '' ? 'unknown' : source,
    severity: SEVERITY[record.kind],
    custom_details: detailsOf(record),
  };
}

function subjectOf(record: IncidentRecord): string {
  if (record.kind === 'evaluation') return record.alert;
  if (record.kind !== 'alert') return `emitter ${record.emitter}`;
  return record.segment === null ? record.alert : `${record.alert}, ${JSON.stringify(record.segment)}`;
}

function detailsOf(record: IncidentRecord): PagerDutyPayload['custom_details'] {
  const { kind, records, bytes, attempts, reason, firstFailedAt, batchId } = record;
  if (kind === 'evaluation')
    return { alert: record.alert, last_error: reason, first_failed_at: firstFailedAt };
  if (kind === 'alert') {
    const { alert, segment } = record;
    return { alert, ...(segment !== null && { segment }), observed: reason, firing_since: firstFailedAt };
  }
  return {
    emitter: record.emitter,
    ...(batchId !== null && { batch_id: batchId }),
    entries: records,
    bytes,
    attempts,
    last_error: reason,
    first_failed_at: firstFailedAt,
  };
}

/** One line, without control characters, at most 1,024 UTF-16 units, no surrogate pair split. */
export function summaryOf(text: string): string {
  const line = text.replace(CONTROL_CHARACTERS, ' ').trim();
  return line.length <= SUMMARY_LIMIT ? line : `${cut(line, SUMMARY_LIMIT - 1)}…`;
}

function cut(text: string, length: number): string {
  const last = text.charCodeAt(length - 1);
  const splitsPair = last >= 0xd800 && last <= 0xdbff;
  return text.slice(0, splitsPair ? length - 1 : length);
}
