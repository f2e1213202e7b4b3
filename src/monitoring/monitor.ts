import type {
  AlertDefinition,
  AlertEvent,
  AlertReport,
  AlertStatus,
  EditedAlert,
} from './alert-definition.ts';
import type { AlertSilence, SilenceRequest } from './alert-silence.ts';
import type { EvaluationProblem } from './evaluation-failures.ts';
import type { EditedLogGroup, LogGroupDefinition, LogGroupReport } from './log-group-definition.ts';
import type {
  EditedMetric,
  MetricDefinition,
  MetricPoint,
  MetricReport,
  PointsRequest,
} from './metric-definition.ts';
import type {
  AlertPreview,
  AlertPreviewRequest,
  MetricPreview,
  MetricPreviewRequest,
} from './preview-definition.ts';

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
  /** Rejects if it does not exist. */
  updateMetric(definition: MetricDefinition): Promise<EditedMetric>;
  /** Rejected while an alert uses it. */
  deleteMetric(id: string): Promise<void>;
  /** Newest first. */
  points(id: string, request: PointsRequest): Promise<readonly MetricPoint[]>;
  alerts(): Promise<readonly AlertReport[]>;
  alert(id: string): Promise<AlertReport>;
  createAlert(definition: AlertDefinition): Promise<AlertReport>;
  updateAlert(definition: AlertDefinition): Promise<EditedAlert>;
  deleteAlert(id: string): Promise<void>;
  /** Until it ends, the alert pages nothing. A second silence replaces the first. */
  silenceAlert(id: string, request: SilenceRequest): Promise<AlertSilence>;
  unsilenceAlert(id: string): Promise<void>;
  /** State changes, newest first. */
  alertHistory(id: string, limit: number): Promise<readonly AlertEvent[]>;
  /** The states of all alerts. */
  alertStatuses(): Promise<readonly AlertStatus[]>;
  /** The points that a metric would have, from the records in the store. */
  previewMetric(request: MetricPreviewRequest): Promise<MetricPreview>;
  /** The changes that an alert would have had. */
  previewAlert(request: AlertPreviewRequest): Promise<AlertPreview>;
  logGroups(): Promise<readonly LogGroupReport[]>;
  logGroup(id: string): Promise<LogGroupReport>;
  createLogGroup(definition: LogGroupDefinition): Promise<LogGroupReport>;
  updateLogGroup(definition: LogGroupDefinition): Promise<EditedLogGroup>;
  /** Rejected while a metric uses it. */
  deleteLogGroup(id: string): Promise<void>;
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
