import { Counter, Gauge, Histogram, type Registry } from 'prom-client';
import {
  type MetricDefinition,
  type MetricDefinitions,
  type MetricLabels,
  type MetricTable,
  unlabelledTable,
} from './metric-table.ts';

/** Registers the metrics of a table. A metric that is registered already (of another emitter) is used again. */
export function openMetrics<Metrics extends MetricDefinitions>(
  table: MetricTable<Metrics>,
  options: OpenMetricsOptions<Metrics>,
): OpenMetrics<Metrics> {
  const { registry, unlabelledPrefix } = options;
  const opened = openTable(table, options);
  if (unlabelledPrefix === undefined) return opened as OpenMetrics<Metrics>;
  const unlabelled = openTable(unlabelledTable(table, unlabelledPrefix), { registry });
  const entries = Object.entries(opened).map(([key, handle]) => [key, bothOf(handle, unlabelled[key])]);
  return Object.fromEntries(entries) as OpenMetrics<Metrics>;
}

export interface CounterHandle {
  inc(amount?: number, labels?: MetricLabels): void;
}

export interface GaugeHandle {
  set(value: number, labels?: MetricLabels): void;
  inc(amount?: number): void;
  dec(amount?: number): void;
}

export interface HistogramHandle {
  observe(value: number, labels?: MetricLabels): void;
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
  /** Each metric is also kept without labels under this prefix: the names of an earlier version. */
  readonly unlabelledPrefix?: string | undefined;
  /** Gauges that are read when metrics are scraped, instead of being set. */
  readonly readings?: { readonly [Name in keyof Metrics]?: GaugeReading };
}

function openTable<Metrics extends MetricDefinitions>(
  { prefix, metrics }: MetricTable<Metrics>,
  { registry, labels = {}, readings = {} }: OpenMetricsOptions<Metrics>,
): Readonly<Record<string, AnyHandle>> {
  const entries = Object.entries(metrics).map(([key, metric]) => {
    const reading = (readings as Readonly<Record<string, GaugeReading | undefined>>)[key];
    return [key, openMetric({ ...metric, name: prefix + metric.name }, { registry, labels, reading })];
  });
  return Object.fromEntries(entries) as Readonly<Record<string, AnyHandle>>;
}

interface AnyHandle {
  inc?(amount?: number, labels?: MetricLabels): void;
  dec?(amount?: number): void;
  set?(value: number, labels?: MetricLabels): void;
  observe?(value: number, labels?: MetricLabels): void;
}

/** Changes both metrics, the second one without labels. */
function bothOf(labelled: AnyHandle, unlabelled: AnyHandle = {}): AnyHandle {
  return {
    inc: (amount, labels) => {
      labelled.inc?.(amount, labels);
      unlabelled.inc?.(amount);
    },
    dec: (amount) => {
      labelled.dec?.(amount);
      unlabelled.dec?.(amount);
    },
    set: (value, labels) => {
      labelled.set?.(value, labels);
      unlabelled.set?.(value);
    },
    observe: (value, labels) => {
      labelled.observe?.(value, labels);
      unlabelled.observe?.(value);
    },
  };
}

interface Opening {
  readonly registry: Registry;
  readonly labels: MetricLabels;
  readonly reading: GaugeReading | undefined;
}

function openMetric(metric: MetricDefinition, { registry, reading, labels }: Opening): AnyHandle {
  const known = labelsOf(metric, labels);
  switch (metric.kind) {
    case 'counter':
      return openCounter(metric, registry, known);
    case 'gauge':
      return openGauge(metric, { registry, labels: known, reading });
    case 'histogram':
      return openHistogram(metric, registry, known);
  }
}

/** The given values whose labels the metric has. */
function labelsOf({ labels }: MetricDefinition, values: MetricLabels): MetricLabels {
  return Object.fromEntries(Object.entries(values).filter(([label]) => labels.includes(label)));
}

// A label lookup for each batch is expensive, so the metric of known labels is looked up once.

function openCounter(metric: MetricDefinition, registry: Registry, labels: MetricLabels): CounterHandle {
  const counter = registered(registry, metric.name, Counter, () => new Counter(optionsOf(metric, registry)));
  if (hasVaryingLabels(metric, labels))
    return { inc: (amount = 1, varying = {}) => counter.inc({ ...labels, ...varying }, amount) };
  const child = counter.labels(labels);
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
  const isFixed = !hasVaryingLabels(metric, labels);
  const child = isFixed ? gauge.labels(labels) : gauge;
  if (isFixed && reading === undefined && metric.startsEmpty !== true) child.inc(0);
  return {
    set: (value, varying) => {
      if (varying === undefined) child.set(value);
      else gauge.set({ ...labels, ...varying }, value);
    },
    inc: (amount = 1) => child.inc(amount),
    dec: (amount = 1) => child.dec(amount),
  };
}

function openHistogram(metric: MetricDefinition, registry: Registry, labels: MetricLabels): HistogramHandle {
  const { buckets = [] } = metric;
  const create = () => new Histogram({ ...optionsOf(metric, registry), buckets: [...buckets] });
  const histogram = registered(registry, metric.name, Histogram, create);
  if (hasVaryingLabels(metric, labels))
    return { observe: (value, varying = {}) => histogram.observe({ ...labels, ...varying }, value) };
  const child = histogram.labels(labels);
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

function hasVaryingLabels(metric: MetricDefinition, known: MetricLabels): boolean {
  return metric.labels.length > Object.keys(known).length;
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
