/** Answers about metrics, alerts and log groups; see docs/openapi.json. */

export const STATISTICS = ['count', 'avg', 'min', 'max', 'stddev', 'variance', 'p50', 'p95', 'p99'] as const;
export type Statistic = (typeof STATISTICS)[number];

export interface NamedSegment {
  readonly name: string;
  readonly where: string;
}
export type MetricSegment = string | { readonly expression: string } | readonly NamedSegment[];

export type FilterCondition =
  | { readonly property: string; readonly value: string }
  | { readonly expression: string };

export interface LogFilter {
  readonly text?: string;
  readonly severity?: string;
  readonly host?: string;
  readonly service?: string;
  readonly where?: readonly FilterCondition[];
}

export interface MetricDefinition {
  readonly id: string;
  readonly statistic: Statistic;
  readonly property: string;
  readonly periodSeconds: number;
  readonly refreshSeconds?: number;
  readonly startOffsetSeconds?: number;
  readonly endOffsetSeconds?: number;
  readonly segment?: MetricSegment;
  readonly filter?: LogFilter;
}

export interface MetricReport {
  readonly definition: MetricDefinition;
  readonly createdAt: string;
  readonly refreshedAt: string | null;
  readonly points: number;
  readonly unknown?: readonly { readonly message: string }[];
  readonly setAside?: readonly { readonly time: string; readonly reason: string }[];
}

export interface MetricPoint {
  readonly time: string;
  readonly segment: string | null;
  readonly value: number | null;
  readonly problem?: string;
}

export const COMPARISONS = ['>', '>=', '<', '<=', '==', '!='] as const;
export const NO_DATA = ['no-data', 'ok', 'firing', 'keep'] as const;

export interface AlertDefinition {
  readonly id: string;
  readonly metric: string;
  readonly statistic: Statistic;
  readonly comparison: (typeof COMPARISONS)[number];
  readonly level: number;
  readonly windowSeconds: number;
  readonly forSeconds: number;
  readonly checkSeconds?: number;
  readonly noData: (typeof NO_DATA)[number];
  readonly fillMissing?: boolean;
  readonly notify: boolean;
}

export type AlertState = 'ok' | 'firing' | 'no-data';

export interface AlertStatus {
  readonly alert: string;
  readonly segment: string | null;
  readonly state: AlertState;
  readonly since: string;
  readonly observed: number | null;
  readonly pendingSince: string | null;
  readonly checkedAt: string;
}

export interface Silence {
  readonly until: string;
  readonly reason?: string;
  readonly by?: string;
}

export interface AlertReport {
  readonly definition: AlertDefinition;
  readonly createdAt: string;
  readonly states: readonly AlertStatus[];
  readonly problem?: { readonly reason: string; readonly since: string };
  readonly silence?: Silence | null;
}

export interface AlertEvent {
  readonly segment: string | null;
  readonly at: string;
  readonly from: AlertState;
  readonly to: AlertState;
  readonly observed: number | null;
}

export interface LogGroup {
  readonly id: string;
  readonly description?: string;
  readonly expression: string;
}
