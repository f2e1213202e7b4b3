/** One metric, as data: the documentation is generated from it, too. */
export interface MetricDefinition<Kind extends MetricKind = MetricKind> {
  readonly kind: Kind;
  /** Without the prefix of its table. */
  readonly name: string;
  /** The counted things, and the unit. No full stop. */
  readonly help: string;
  readonly labels: readonly string[];
  /** For an operator: when to act, and why: "is 1: collectors wait". */
  readonly alarm?: string;
  /** Histograms only: upper bounds. */
  readonly buckets?: readonly number[];
  /** Gauges only: it has no value until it is set, because 0 would be wrong. */
  readonly startsEmpty?: boolean;
}

export type MetricKind = 'counter' | 'gauge' | 'histogram';

export interface MetricTable<Metrics extends MetricDefinitions = MetricDefinitions> {
  /** `aggregator_intake_` */
  readonly prefix: string;
  readonly metrics: Metrics;
}

export type MetricDefinitions = Readonly<Record<string, MetricDefinition>>;

export type MetricLabels = Readonly<Record<string, string>>;

interface MetricOptions {
  readonly labels?: readonly string[];
  readonly alarm?: string;
}

/** Counters end with `_total`. */
export function counter(name: `${string}_total`, help: string, options: MetricOptions = {}) {
  return definition('counter', name, help, options);
}

/** A gauge whose labels are all known shows 0 until it is set, unless it `startsEmpty`. */
export function gauge(
  name: string,
  help: string,
  { startsEmpty = false, ...options }: MetricOptions & { readonly startsEmpty?: boolean } = {},
) {
  return { ...definition('gauge', name, help, options), startsEmpty };
}

export function histogram(
  name: string,
  help: string,
  { buckets, ...options }: MetricOptions & { readonly buckets: readonly number[] },
) {
  return { ...definition('histogram', name, help, options), buckets };
}

export function metricTable<Metrics extends MetricDefinitions>(
  prefix: string,
  metrics: Metrics,
): MetricTable<Metrics> {
  return { prefix, metrics };
}

/** The metrics of a table under another prefix, without labels. The alarms are those of the table. */
export function unlabelledTable({ metrics }: MetricTable, prefix: string): MetricTable {
  const entries = Object.entries(metrics).map(([key, metric]) => {
    const { alarm: _, ...others } = metric;
    return [key, { ...others, labels: [] }];
  });
  return { prefix, metrics: Object.fromEntries(entries) as MetricDefinitions };
}

function definition<Kind extends MetricKind>(
  kind: Kind,
  name: string,
  help: string,
  { labels = [], alarm }: MetricOptions,
): MetricDefinition<Kind> {
  return { kind, name, help, labels, ...(alarm !== undefined && { alarm }) };
}
