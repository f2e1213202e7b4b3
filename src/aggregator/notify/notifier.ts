import type { Component } from '../../runtime/component.ts';

/**
 * Notifies people. Calls return at once and never fail; unsent events are kept and sent later.
 *
 * An incident is opened by its first `trigger` and closed by `resolve`. Further triggers in between add their
 * amounts and attempts, and replace the reason.
 */
export interface Notifier extends Component {
  trigger(incident: Incident, details: IncidentDetails): void;
  /** Does nothing when the incident is not open, unless another aggregator may have opened it. */
  resolve(incident: Incident, options?: ResolveOptions): void;
  /** Triggered and unresolved incidents, including those known from earlier runs. */
  openIncidents(): readonly Incident[];
  /** For operators. */
  report(): NotifierReport;
}

export interface NotifierReport {
  /** `since`: RFC 3339. */
  readonly openIncidents: readonly {
    readonly key: string;
    readonly summary: string;
    readonly since: string;
  }[];
  /** Why the last event could not be sent; undefined: it was sent, or there was none. */
  readonly lastError: string | undefined;
}

export interface ResolveOptions {
  readonly mayBeOpenElsewhere: boolean;
}

export type Incident = EmitterIncident | AlertIncident | EvaluationIncident;

/**
 * Each emitter has one incident of each kind. `delivery`: its destination does not accept records.
 * `dead-letters`: rejected records wait for a decision. `queue`: its undelivered records fill the queue.
 */
export interface EmitterIncident {
  readonly emitter: string;
  readonly kind: EmitterIncidentKind;
}

export type EmitterIncidentKind = 'delivery' | 'dead-letters' | 'queue';

/** An alert fires, or one segment of it. */
export interface AlertIncident {
  readonly kind: 'alert';
  readonly alert: string;
  readonly segment: string | null;
}

/** An alert cannot be checked. */
export interface EvaluationIncident {
  readonly kind: 'evaluation';
  readonly alert: string;
}

export interface IncidentDetails {
  /** For people; never contains a secret. */
  readonly reason: string;
  /** Newly affected. */
  readonly records: number;
  readonly bytes: number;
  /** New failed attempts. */
  readonly attempts: number;
  /** When it began; default: now. */
  readonly sinceUnixNano?: bigint;
  /** Queue position of the batch. */
  readonly batchId?: string;
}

/** No emitter has a colon in its name. */
export function incidentName(incident: Incident): string {
  if (incident.kind === 'evaluation') return `evaluation:${incident.alert}`;
  if (incident.kind !== 'alert') return `${incident.emitter}/${incident.kind}`;
  const { alert, segment } = incident;
  return segment === null ? `alert:${alert}` : `alert:${alert}/${segment}`;
}
