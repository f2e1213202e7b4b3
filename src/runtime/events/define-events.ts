import type { Logger } from 'pino';
import type { Registry } from 'prom-client';
import type { Clock } from '../clock.ts';
import { LimitedLog } from '../logging/limited-log.ts';
import type { MetricDefinitions, MetricTable } from './metric-table.ts';
import { type OpenMetrics, type OpenMetricsOptions, openMetrics } from './open-metrics.ts';
import { Topics, type TopicValue } from './topics.ts';

/*
 * The events of a room are data: what each one logs and what it counts.
 *
 *     const METRICS = metricTable('collector_publisher_', {
 *       connected: gauge('connected', '1 while an aggregator is connected', { alarm: 'is 0: no aggregator' }),
 *       sentBytes: counter('sent_bytes_total', 'Record bytes sent'),
 *     });
 *
 *     export const PUBLISHER_EVENTS = defineEvents(METRICS, (event) => ({
 *       connected: event<{ address: string }>({
 *         info: 'Connected to the aggregator',
 *         count: ({ connected }) => connected.set(1),
 *       }),
 *       sent: event<{ bytes: number }>({ count: ({ sentBytes }, { bytes }) => sentBytes.inc(bytes) }),
 *     }));
 *
 *     const events = PUBLISHER_EVENTS.open({ logger, metrics });
 *     events.connected({ address });
 *
 * The fields of an event are the fields of its log line, and `count` sees them. An event without a message is only
 * counted. Events of each record have a number as fields, or none, so that no object is created for each record.
 */

export interface EventDefinition<Fields, Metrics extends MetricDefinitions> {
  /** The message of the log line. One level at most. */
  readonly debug?: Message<Fields>;
  readonly info?: Message<Fields>;
  readonly warn?: Message<Fields>;
  readonly error?: Message<Fields>;
  readonly fatal?: Message<Fields>;
  readonly count?: (metrics: OpenMetrics<Metrics>, fields: Fields) => void;
  /** The fields of the log line, if they are not those of the event. */
  readonly fields?: (fields: Fields) => object;
  /** For lines that a peer can cause without limit: see `LimitedLog`. */
  readonly limit?: EventLimit<Fields>;
  /** Logs only when `value` of this topic is another one than the last time. */
  readonly once?: (fields: Fields) => TopicValue;
  /** For `once`: also logs an unchanged value when this time has passed since its last line. */
  readonly repeatAfterMs?: number;
  /** For `once`: logs an unchanged value at this level. */
  readonly repeatLevel?: 'debug';
  /** Begins a topic, and logs in any case. When the topic has ended, lines that a limit holds back are dropped. */
  readonly begins?: (fields: Fields) => string;
  /** Logs only if an event of this topic was logged, and ends the topic. */
  readonly ends?: (fields: Fields) => string;
  /** Ends all topics, and logs in any case. */
  readonly endsAll?: boolean;
}

export interface EventLimit<Fields> {
  /** Each party has a limit of its own. */
  readonly party?: (fields: Fields) => string;
  /** Lines of a party before the limit applies: 1 by default. */
  readonly burst?: number;
  /** A minute by default. */
  readonly intervalMs?: number;
  /** A field that is added up over the lines that are held back, instead of their `count`. */
  readonly sum?: keyof Fields & string;
}

export type Message<Fields> = string | ((fields: Fields) => string);

export interface OpenEventsOptions<Metrics extends MetricDefinitions>
  extends Pick<OpenMetricsOptions<Metrics>, 'labels' | 'unlabelledPrefix' | 'readings'> {
  readonly logger: Logger;
  readonly metrics: Registry;
  /** Needed by events with a `limit` or a time. */
  readonly clock?: Clock;
}

/** Reports an event. An event without fields takes none. */
export type Report<Fields> = [Fields] extends [undefined]
  ? (fields?: undefined) => void
  : (fields: Fields) => void;

export type Reports<Events> = {
  readonly [Name in keyof Events]: Events[Name] extends EventDefinition<infer Fields, infer _Metrics>
    ? Report<Fields>
    : never;
} & {
  /** Writes the log lines that a limit holds back. */
  readonly flush: () => void;
};

export interface DefinedEvents<Metrics extends MetricDefinitions, Events> {
  readonly table: MetricTable<Metrics>;
  readonly definitions: Events;
  open(options: OpenEventsOptions<Metrics>): Reports<Events>;
}

type Define<Metrics extends MetricDefinitions> = <Fields = undefined>(
  definition: EventDefinition<Fields, Metrics>,
) => EventDefinition<Fields, Metrics>;

const LEVELS = ['debug', 'info', 'warn', 'error', 'fatal'] as const;

export function defineEvents<Metrics extends MetricDefinitions, Events extends object>(
  table: MetricTable<Metrics>,
  define: (event: Define<Metrics>) => Events,
): DefinedEvents<Metrics, Events> {
  const definitions = define((definition) => definition);
  return { table, definitions, open: (options) => openEvents(table, definitions, options) };
}

function openEvents<Metrics extends MetricDefinitions, Events extends object>(
  table: MetricTable<Metrics>,
  definitions: Events,
  { logger, clock, metrics: registry, ...options }: OpenEventsOptions<Metrics>,
): Reports<Events> {
  const metrics = openMetrics(table, { registry, ...options });
  const topics = new Topics(clock);
  const limits: LimitedLog[] = [];
  const reports = Object.entries(definitions as Record<string, EventDefinition<unknown, Metrics>>).map(
    ([name, definition]) => {
      if (clock === undefined && needsClock(definition)) throw new Error(`The event ${name} needs a clock`);
      const limited = clock && limitedLog(definition, logger, clock);
      if (limited !== undefined) limits.push(limited);
      return [name, reportOf(definition, metrics, lineWriter(definition, { logger, limited, topics }))];
    },
  );
  const flush = () => {
    for (const limited of limits) limited.flush();
  };
  return { ...Object.fromEntries(reports), flush } as Reports<Events>;
}

type Write<Fields> = (fields: Fields) => void;

/** Without tests for what an event does not have: some happen for each record. */
function reportOf<Fields, Metrics extends MetricDefinitions>(
  { count }: EventDefinition<Fields, Metrics>,
  metrics: OpenMetrics<Metrics>,
  write: Write<Fields> | undefined,
): Write<Fields> {
  if (count === undefined) return write ?? (() => {});
  if (write === undefined) return (fields) => count(metrics, fields);
  return (fields) => {
    count(metrics, fields);
    write(fields);
  };
}

interface Lines {
  readonly logger: Logger;
  readonly limited: LimitedLog | undefined;
  readonly topics: Topics;
}

function lineWriter<Fields, Metrics extends MetricDefinitions>(
  definition: EventDefinition<Fields, Metrics>,
  { logger, limited, topics }: Lines,
): Write<Fields> | undefined {
  const level = LEVELS.find((each) => definition[each] !== undefined);
  const text = level && definition[level];
  if (level === undefined || text === undefined) return undefined;
  const { limit, repeatLevel, fields: chosen } = definition;
  return (fields) => {
    const isNew = mayLog(definition, fields, topics);
    if (!isNew && repeatLevel === undefined) return;
    const message = typeof text === 'string' ? text : text(fields);
    const shown = (chosen === undefined ? (fields as object | undefined) : chosen(fields)) ?? {};
    if (!isNew) logger[repeatLevel ?? level](shown, message);
    else if (limited === undefined || level === 'debug' || level === 'fatal') logger[level](shown, message);
    else {
      const topic = definition.begins?.(fields);
      const isOutdated = () => topic !== undefined && !topics.has(topic);
      const party = limit?.party?.(fields) ?? '';
      const line = { level, kind: '', party, fields: shown, message, isOutdated };
      limited.write(line, amountOf(fields, limit?.sum));
    }
  };
}

function amountOf<Fields>(fields: Fields, sum: keyof Fields | undefined): number {
  return sum === undefined ? 1 : Number(fields[sum]);
}

/** Updates the topics of an event; false if they prevent its line. */
function mayLog<Fields, Metrics extends MetricDefinitions>(
  { once, begins, ends, endsAll, repeatAfterMs }: EventDefinition<Fields, Metrics>,
  fields: Fields,
  topics: Topics,
): boolean {
  if (endsAll === true) topics.endAll();
  if (begins !== undefined) topics.begin({ topic: begins(fields), value: '' });
  if (once !== undefined && !topics.begin(once(fields), repeatAfterMs)) return false;
  return ends === undefined || topics.end(ends(fields));
}

function needsClock<Fields, Metrics extends MetricDefinitions>({
  limit,
  repeatAfterMs,
}: EventDefinition<Fields, Metrics>): boolean {
  return limit !== undefined || repeatAfterMs !== undefined;
}

function limitedLog<Fields, Metrics extends MetricDefinitions>(
  { limit }: EventDefinition<Fields, Metrics>,
  logger: Logger,
  clock: Clock,
): LimitedLog | undefined {
  if (limit === undefined) return undefined;
  const { party: _, ...options } = limit;
  return new LimitedLog(logger, clock, options);
}
