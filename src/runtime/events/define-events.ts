import type { Logger } from 'pino';
import type { Registry } from 'prom-client';
import type { Clock } from '../clock.ts';
import { LimitedLog } from '../logging/limited-log.ts';
import {
  type MetricDefinitions,
  type MetricLabels,
  type MetricTable,
  type OpenMetrics,
  type OpenMetricsOptions,
  openMetrics,
} from './metric-table.ts';

/*
 * The events of a room are data: what each one logs and what it counts.
 *
 *     const METRICS = metricTable('collector_publisher_', {
 *       connected: gauge('connected', '1 while an aggregator is connected', { alarm: '0: no aggregator' }),
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
 * counted: happenings of each record or batch are.
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
  readonly once?: (fields: Fields) => { readonly topic: string; readonly value: string };
  /** Logs only if a `once` event of this topic was logged, and ends the topic. */
  readonly ends?: (fields: Fields) => string;
}

export interface EventLimit<Fields> {
  /** Each party has a limit of its own. */
  readonly party?: (fields: Fields) => string;
  /** Lines of a party before the limit applies. */
  readonly burst?: number;
}

export type Message<Fields> = string | ((fields: Fields) => string);

export interface OpenEventsOptions<Metrics extends MetricDefinitions>
  extends Pick<OpenMetricsOptions<Metrics>, 'readings'> {
  readonly logger: Logger;
  readonly metrics: Registry;
  /** Needed by events with a `limit`. */
  readonly clock?: Clock;
  readonly labels?: MetricLabels;
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

/** Topics of `once` that are remembered. */
const MAX_TOPICS = 1000;

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
  { logger, metrics: registry, clock, labels = {}, readings = {} }: OpenEventsOptions<Metrics>,
): Reports<Events> {
  const metrics = openMetrics(table, { registry, labels, readings });
  const topics = new Topics();
  const limits: LimitedLog[] = [];
  const reports = Object.entries(definitions as Record<string, EventDefinition<unknown, Metrics>>).map(
    ([name, definition]) => {
      const limited = limitedLog(definition, { logger, clock });
      if (limited !== undefined) limits.push(limited);
      const write = lineWriter(definition, { logger, limited, topics });
      const report = (fields: unknown) => {
        definition.count?.(metrics, fields);
        write(fields);
      };
      return [name, report] as const;
    },
  );
  const flush = () => {
    for (const limited of limits) limited.flush();
  };
  return { ...Object.fromEntries(reports), flush } as Reports<Events>;
}

interface Lines {
  readonly logger: Logger;
  readonly limited: LimitedLog | undefined;
  readonly topics: Topics;
}

function lineWriter<Fields>(
  definition: EventDefinition<Fields, never>,
  { logger, limited, topics }: Lines,
): (fields: Fields) => void {
  const level = LEVELS.find((each) => definition[each] !== undefined);
  const text = level && definition[level];
  if (level === undefined || text === undefined) return () => {};
  const { once, ends, limit, fields: chosen } = definition;
  return (fields) => {
    if (once !== undefined && !topics.begin(once(fields))) return;
    if (ends !== undefined && !topics.end(ends(fields))) return;
    const message = typeof text === 'string' ? text : text(fields);
    const shown = chosen === undefined ? (fields as object | undefined) : chosen(fields);
    if (limited === undefined || level === 'debug' || level === 'fatal') logger[level](shown ?? {}, message);
    else limited.write({ level, party: limit?.party?.(fields) ?? '', fields: shown ?? {}, message });
  };
}

function limitedLog<Fields>(
  { limit }: EventDefinition<Fields, never>,
  { logger, clock }: { readonly logger: Logger; readonly clock: Clock | undefined },
): LimitedLog | undefined {
  if (limit === undefined) return undefined;
  if (clock === undefined) throw new Error('Events with a limit need a clock');
  return new LimitedLog(logger, clock, limit.burst === undefined ? {} : { burst: limit.burst });
}

/** The topics that are logged and not ended. */
class Topics {
  readonly #values = new Map<string, string>();

  /** False: it was logged already. */
  begin({ topic, value }: { readonly topic: string; readonly value: string }): boolean {
    if (this.#values.get(topic) === value) return false;
    if (this.#values.size >= MAX_TOPICS) this.#values.clear();
    this.#values.set(topic, value);
    return true;
  }

  /** False: there was nothing to end. */
  end(topic: string): boolean {
    return this.#values.delete(topic);
  }
}
