import type { AlertDefinition, AlertEvent, AlertReport, AlertStatus } from './alert-definition.ts';
import type { EvaluationProblem } from './evaluation-failures.ts';
import type { MetricDefinition, MetricPoint, MetricReport, PointsRequest } from './metric-definition.ts';

/** Metrics and alerts, as the HTTP API offers them. Definitions are checked already. Rejects with SqlError or MonitorError. */
export interface Monitor {
  /** The alerts that this aggregator should check and cannot. */
  readonly evaluationProblems: readonly EvaluationProblem[];
  metrics(): Promise<readonly MetricReport[]>;
  metric(id: string): Promise<MetricReport>;
  createMetric(definition: MetricDefinition): Promise<MetricReport>;
  /** Refused while an alert needs it. */
  deleteMetric(id: string): Promise<void>;
  /** Newest first. */
  points(id: string, request: PointsRequest): Promise<readonly MetricPoint[]>;
  alerts(): Promise<readonly AlertReport[]>;
  alert(id: string): Promise<AlertReport>;
  createAlert(definition: AlertDefinition): Promise<AlertReport>;
  deleteAlert(id: string): Promise<void>;
  /** Changes of state, newest first. */
  alertHistory(id: string, limit: number): Promise<readonly AlertEvent[]>;
  /** Of all alerts. */
  alertStatuses(): Promise<readonly AlertStatus[]>;
  /** total_traffic, total_traffic_per_route and the alert totaltraffic; what is there already stays. */
  createDefaults(): Promise<CreatedDefaults>;
}

export interface CreatedDefaults {
  readonly created: readonly string[];
  readonly existing: readonly string[];
}

/** `invalid`: the definition is well-formed, but cannot work (an alert on a metric that is not there). */
export type MonitorErrorKind = 'not-found' | 'exists' | 'in-use' | 'invalid';

/** `message`: for a person, a whole sentence. */
export class MonitorError extends Error {
  override readonly name = 'MonitorError';
  readonly kind: MonitorErrorKind;

  constructor(kind: MonitorErrorKind, message: string) {
    super(message);
    this.kind = kind;
  }
}
