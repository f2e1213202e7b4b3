import type { AlertDefinition, AlertEvent, AlertReport, AlertStatus } from './alert-definition.ts';
import type { EvaluationProblem } from './evaluation-failures.ts';
import type { MetricDefinition, MetricPoint, MetricReport, PointsRequest } from './metric-definition.ts';

/**
 * Metrics and alerts for the HTTP API. Definitions are validated before. Rejects with SqlError or
 * MonitorError.
 */
export interface Monitor {
  /** The alerts that this aggregator should check and cannot. */
  readonly evaluationProblems: readonly EvaluationProblem[];
  metrics(): Promise<readonly MetricReport[]>;
  metric(id: string): Promise<MetricReport>;
  createMetric(definition: MetricDefinition): Promise<MetricReport>;
  /** Rejected while an alert uses it. */
  deleteMetric(id: string): Promise<void>;
  /** Newest first. */
  points(id: string, request: PointsRequest): Promise<readonly MetricPoint[]>;
  alerts(): Promise<readonly AlertReport[]>;
  alert(id: string): Promise<AlertReport>;
  createAlert(definition: AlertDefinition): Promise<AlertReport>;
  deleteAlert(id: string): Promise<void>;
  /** State changes, newest first. */
  alertHistory(id: string, limit: number): Promise<readonly AlertEvent[]>;
  /** The states of all alerts. */
  alertStatuses(): Promise<readonly AlertStatus[]>;
  /** Creates total_traffic, total_traffic_per_route and the alert totaltraffic, unless they exist. */
  createDefaults(): Promise<CreatedDefaults>;
}

export interface CreatedDefaults {
  readonly created: readonly string[];
  readonly existing: readonly string[];
}

/** `invalid`: the definition is well-formed, but not possible (such as an alert on a missing metric). */
export type MonitorErrorKind = 'not-found' | 'exists' | 'in-use' | 'invalid';

/** `message`: a whole sentence, for a person. */
export class MonitorError extends Error {
  override readonly name = 'MonitorError';
  readonly kind: MonitorErrorKind;

  constructor(kind: MonitorErrorKind, message: string) {
    super(message);
    this.kind = kind;
  }
}
