import { Counter, Gauge, Histogram, type Registry } from 'prom-client';

/** One metric, as data: the documentation is generated from it, too. */
export interface MetricDefinition<Kind extends MetricKind = MetricKind> {
  readonly kind: Kind;
  /** Without the prefix of its table. */
  readonly name: string;
  /** The counted things, and the unit. No full stop. */
  readonly help: string;
  readonly labels: readonly string[];
  /** For an operator: which values mean that something is wrong, and what. */
  readonly alarm?: string;
  /** Histograms only: upper bounds. */
  readonly buckets?: readonly number[];
}

export type MetricKind = 'counter' | 'gauge' | 'histogram';

export interface MetricTable<Metrics extends MetricDefinitions = MetricDefinitions> {
  /** `aggregator_intake_` */
  readonly prefix: string;
  readonly metrics: Metrics;
}

export type MetricDefinitions = Readonly<Record<string, MetricDefinition>>;

export type MetricLabels = Readonly<Record<string, string>>;

export interface CounterHandle {
  inc(amount?: number, labels?: MetricLabels): void;
}

export interface GaugeHandle {
  set(value: number, labels?: MetricLabels): void;
  inc(amount?: number): void;
  dec(amount?: number): void;
}

export interface HistogramHandle {
  observe(value: number): void;
}

interface Handles {
  readonly counter: CounterHandle;
  readonly gauge: GaugeHandle;
  readonly histogram: HistogramHandle;
}

export type OpenMetrics<Metrics extends MetricDefinitions> = {
  readonly [Name in keyof Metrics]: Handles[Metrics[Name]['kind']];
};

/** What a gauge shows at a scrape: one value, or one for each set of labels. */
export type GaugeReading = () => number | Iterable<readonly [labels: MetricLabels, value: number]>;

export interface OpenMetricsOptions<Metrics extends MetricDefinitions> {
  readonly registry: Registry;
  /** The values of labels that are the same for all calls: `{ emitter: 'gelf' }`. */
  readonly labels?: MetricLabels;
  /** Gauges that are read when metrics are scraped, instead of being set. */
  readonly readings?: { readonly [Name in keyof Metrics]?: GaugeReading };
}

interface MetricOptions {
  readonly labels?: readonly string[];
  readonly alarm?: string;
}

/** Counters end with `_total`. */
export function counter(name: `${string}_total`, help: string, options: MetricOptions = {}) {
  return definition('counter', name, help, options);
}

export function gauge(name: string, help: string, options: MetricOptions = {}) {
  return definition('gauge', name, help, options);
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

/** Registers the metrics of a table. A metric that is registered already (of another emitter) is used again. */
export function openMetrics<Metrics extends MetricDefinitions>(
  { prefix, metrics }: MetricTable<Metrics>,
  { registry, labels = {}, readings = {} }: OpenMetricsOptions<Metrics>,
): OpenMetrics<Metrics> {
  const entries = Object.entries(metrics).map(([key, metric]) => {
    const reading = (readings as Readonly<Record<string, GaugeReading | undefined>>)[key];
    return [key, openMetric({ ...metric, name: prefix + metric.name }, { registry, labels, reading })];
  });
  return Object.fromEntries(entries) as OpenMetrics<Metrics>;
}

function definition<Kind extends MetricKind>(
  kind: Kind,
  name: string,
  help: string,
  { labels = [], alarm }: MetricOptions,
): MetricDefinition<Kind> {
  return { kind, name, help, labels, ...(alarm !== undefined && { alarm }) };
}

interface Opening {
  readonly registry: Registry;
  readonly labels: MetricLabels;
  readonly reading: GaugeReading | undefined;
}

function openMetric(metric: MetricDefinition, opening: Opening): Handles[MetricKind] {
  switch (metric.kind) {
    case 'counter':
      return openCounter(metric, opening);
    case 'gauge':
      return openGauge(metric, opening);
    case 'histogram':
      return openHistogram(metric, opening);
  }
}

function openCounter(metric: MetricDefinition, { registry, labels }: Opening): CounterHandle {
  const counter = registered(registry, metric.name, Counter, () => new Counter(optionsOf(metric, registry)));
  const fixed = fixedLabels(metric, labels);
  if (fixed === undefined)
    return { inc: (amount = 1, varying = {}) => counter.inc({ ...labels, ...varying }, amount) };
  // A label lookup for each batch would be expensive.
  const child = counter.labels(fixed);
  child.inc(0);
  return { inc: (amount = 1) => child.inc(amount) };
}

function openGauge(metric: MetricDefinition, { registry, labels, reading }: Opening): GaugeHandle {
  const gauge: Gauge = registered(
    registry,
    metric.name,
    Gauge,
    () =>
      new Gauge({
        ...optionsOf(metric, registry),
        ...(reading !== undefined && { collect: () => show(gauge, reading()) }),
      }),
  );
  const fixed = fixedLabels(metric, labels);
  const child = fixed === undefined ? gauge : gauge.labels(fixed);
  return {
    set: (value, varying) => {
      if (varying === undefined) child.set(value);
      else gauge.set({ ...labels, ...varying }, value);
    },
    inc: (amount = 1) => child.inc(amount),
    dec: (amount = 1) => child.dec(amount),
  };
}

function openHistogram(metric: MetricDefinition, { registry, labels }: Opening): HistogramHandle {
  const { buckets = [] } = metric;
  const create = () => new Histogram({ ...optionsOf(metric, registry), buckets: [...buckets] });
  const histogram = registered(registry, metric.name, Histogram, create);
  const child = histogram.labels(fixedLabels(metric, labels) ?? labels);
  return { observe: (value) => child.observe(value) };
}

function show(gauge: Gauge, reading: ReturnType<GaugeReading>): void {
  if (typeof reading === 'number') {
    gauge.set(reading);
    return;
  }
  gauge.reset();
  for (const [labels, value] of reading) gauge.set(labels, value);
}

function optionsOf({ name, help, labels }: MetricDefinition, registry: Registry) {
  return { name, help, labelNames: [...labels], registers: [registry] };
}

/** The values of all labels of the metric, if none of them varies. */
function fixedLabels({ labels }: MetricDefinition, values: MetricLabels): Record<string, string> | undefined {
  const known = labels.flatMap((label) => (values[label] === undefined ? [] : [[label, values[label]]]));
  return known.length === labels.length ? (Object.fromEntries(known) as Record<string, string>) : undefined;
}

function registered<Metric>(
  registry: Registry,
  name: string,
  type: abstract new (...args: never[]) => Metric,
  create: () => Metric,
): Metric {
  const existing: unknown = registry.getSingleMetric(name);
  return existing instanceof type ? existing : create();
}
