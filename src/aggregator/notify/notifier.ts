import type { Component } from '../../runtime/component.ts';

/**
 * Tells people. Calls return at once and never fail; what was not sent yet is kept, and sent later.
 *
 * An incident is opened by its first `trigger` and closed by `resolve`; in between, further triggers add up: amounts
 * and attempts are summed, the newest reason is kept.
 */
export interface Notifier extends Component {
  trigger(incident: Incident, details: IncidentDetails): void;
  /** Nothing happens when the incident is not open, unless another aggregator may have opened it. */
  resolve(incident: Incident, options?: ResolveOptions): void;
  /** Those that were triggered and not resolved, in earlier runs, too, as far as they are known. */
  openIncidents(): readonly Incident[];
}

export interface ResolveOptions {
  readonly mayBeOpenElsewhere: boolean;
}

export type Incident = EmitterIncident | AlertIncident | EvaluationIncident;

/**
 * Each emitter has an incident of each kind: `delivery`, its destination does not take what it is sent;
 * `dead-letters`, rejected records wait for a decision; `queue`, it is so far behind that the queue fills up.
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
  /** For a person; never holds a secret. */
  readonly reason: string;
  /** Newly affected. */
  readonly records: number;
  readonly bytes: number;
  /** Newly made and failed. */
  readonly attempts: number;
  /** When it began; default: now. */
  readonly sinceUnixNano?: bigint;
  /** Where in the queue the batch begins. */
  readonly batchId?: string;
}

/** No emitter has a colon in its name. */
export function incidentName(incident: Incident): string {
  if (incident.kind === 'evaluation') return `evaluation:${incident.alert}`;
  if (incident.kind !== 'alert') return `${incident.emitter}/${incident.kind}`;
  const { alert, segment } = incident;
  return segment === null ? `alert:${alert}` : `alert:${alert}/${segment}`;
}
