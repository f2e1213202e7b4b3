import type { Component } from '../../runtime/component.ts';

/**
 * Tells people. Calls return at once and never fail; what was not sent yet is kept, and sent later.
 *
 * An incident is opened by its first `trigger` and closed by `resolve`; in between, further triggers add up: amounts
 * and attempts are summed, the newest reason is kept.
 */
export interface Notifier extends Component {
  trigger(incident: Incident, details: IncidentDetails): void;
  /** Nothing happens when the incident is not open. */
  resolve(incident: Incident): void;
}

/**
 * Each emitter has an incident of each kind: `delivery`, its destination does not take what it is sent;
 * `dead-letters`, rejected records wait for a decision; `queue`, it is so far behind that the queue fills up.
 */
export interface Incident {
  readonly emitter: string;
  readonly kind: IncidentKind;
}

export type IncidentKind = 'delivery' | 'dead-letters' | 'queue';

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

export function incidentName({ emitter, kind }: Incident): string {
  return `${emitter}/${kind}`;
}
