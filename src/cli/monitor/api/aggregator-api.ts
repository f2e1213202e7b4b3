import type { IncomingMessage } from 'node:http';
import type { z } from 'zod';
import {
  type ContextRequest,
  type Histogram,
  type HistogramRequest,
  histogram,
  type LogContext,
  type LogFilter,
  logContext,
  type SearchPage,
  type SearchRequest,
  searchPage,
  type ValueCounts,
  type ValuesRequest,
  valueCounts,
} from '../../../logstore/logs/log-requests.ts';
import type { AlertEvent } from '../../../monitoring/alert-definition.ts';
import { type AlertSilence, alertSilence } from '../../../monitoring/alert-silence.ts';
import {
  type EditedLogGroup,
  editedLogGroup,
  type LogGroupReport,
  logGroupReport,
} from '../../../monitoring/log-group-definition.ts';
import type { MetricPoint, PointsRequest } from '../../../monitoring/metric-definition.ts';
import type { AnyTypedOperation } from '../../../runtime/operations/operation.ts';
import {
  type CallAnswer,
  type CallInput,
  operationCall,
} from '../../../runtime/operations/operation-call.ts';
import {
  type AlertAnswer,
  alertAnswer,
  alertsAnswer,
  type DefaultsAnswer,
  defaultsAnswer,
  type EditedAlertAnswer,
  type EditedMetricAnswer,
  editedAlertAnswer,
  editedMetricAnswer,
  eventsAnswer,
  logGroupsAnswer,
  type MetricAnswer,
  metricAnswer,
  metricsAnswer,
  pointsAnswer,
} from './api-answers.ts';
import { checkedAnswer } from './checked-answer.ts';
import type { Connection } from './connection.ts';
import { type ApiRequest, brokenOff, exchange, inTime, readBody } from './exchange.ts';
import { rejectionError } from './rejection-error.ts';
import { StartingAggregator } from './starting-aggregator.ts';
import { type TailEvent, tailEvents } from './tail-events.ts';

/**
 * The aggregator's HTTP API. All methods reject with ApiError, or with the reason of the signal they were
 * given.
 */
export class AggregatorApi {
  readonly connection: Connection;
  readonly #signal: AbortSignal;
  readonly #starting: StartingAggregator;

  /** `signal`: ends all requests. */
  constructor(connection: Connection, signal: AbortSignal = new AbortController().signal) {
    this.connection = connection;
    this.#signal = signal;
    this.#starting = new StartingAggregator(connection);
  }

  /** Whether the first records may still arrive: the aggregator may have been started a moment ago. */
  get mayBeStarting(): boolean {
    return this.#starting.isWaiting;
  }

  async metrics(): Promise<readonly MetricAnswer[]> {
    return (await this.#get('/v1/metrics', metricsAnswer)).metrics;
  }

  metric(id: string): Promise<MetricAnswer> {
    return this.#get(`/v1/metrics/${encodeURIComponent(id)}`, metricAnswer);
  }

  createMetric(definition: unknown): Promise<MetricAnswer> {
    return this.#ask({ method: 'POST', path: '/v1/metrics', body: definition }, metricAnswer);
  }

  updateMetric(id: string, definition: unknown): Promise<EditedMetricAnswer> {
    const path = `/v1/metrics/${encodeURIComponent(id)}`;
    return this.#ask({ method: 'PUT', path, body: definition }, editedMetricAnswer);
  }

  deleteMetric(id: string): Promise<void> {
    return this.#delete(`/v1/metrics/${encodeURIComponent(id)}`);
  }

  async points(id: string, request: PointsRequest): Promise<readonly MetricPoint[]> {
    const path = `/v1/metrics/${encodeURIComponent(id)}/points${query(request)}`;
    return (await this.#get(path, pointsAnswer)).points;
  }

  createDefaults(): Promise<DefaultsAnswer> {
    return this.#ask({ method: 'POST', path: '/v1/defaults' }, defaultsAnswer);
  }

  async alerts(): Promise<readonly AlertAnswer[]> {
    return (await this.#get('/v1/alerts', alertsAnswer)).alerts;
  }

  alert(id: string): Promise<AlertAnswer> {
    return this.#get(`/v1/alerts/${encodeURIComponent(id)}`, alertAnswer);
  }

  createAlert(definition: unknown): Promise<AlertAnswer> {
    return this.#ask({ method: 'POST', path: '/v1/alerts', body: definition }, alertAnswer);
  }

  updateAlert(id: string, definition: unknown): Promise<EditedAlertAnswer> {
    const path = `/v1/alerts/${encodeURIComponent(id)}`;
    return this.#ask({ method: 'PUT', path, body: definition }, editedAlertAnswer);
  }

  silenceAlert(id: string, silence: unknown): Promise<AlertSilence> {
    const path = `/v1/alerts/${encodeURIComponent(id)}/silence`;
    return this.#ask({ method: 'POST', path, body: silence }, alertSilence);
  }

  unsilenceAlert(id: string): Promise<void> {
    return this.#delete(`/v1/alerts/${encodeURIComponent(id)}/silence`);
  }

  async logGroups(): Promise<readonly LogGroupReport[]> {
    return (await this.#get('/v1/log-groups', logGroupsAnswer)).groups;
  }

  logGroup(id: string): Promise<LogGroupReport> {
    return this.#get(`/v1/log-groups/${encodeURIComponent(id)}`, logGroupReport);
  }

  createLogGroup(definition: unknown): Promise<LogGroupReport> {
    return this.#ask({ method: 'POST', path: '/v1/log-groups', body: definition }, logGroupReport);
  }

  updateLogGroup(id: string, definition: unknown): Promise<EditedLogGroup> {
    const path = `/v1/log-groups/${encodeURIComponent(id)}`;
    return this.#ask({ method: 'PUT', path, body: definition }, editedLogGroup);
  }

  deleteLogGroup(id: string): Promise<void> {
    return this.#delete(`/v1/log-groups/${encodeURIComponent(id)}`);
  }

  context(request: ContextRequest): Promise<LogContext> {
    return this.#get(`/v1/logs/context${query(request)}`, logContext);
  }

  /** The body of a download, in parts. Rejects also if the connection ends before its end. */
  async *download(filter: LogFilter & { readonly format: string }): AsyncIterable<Uint8Array> {
    const request = { method: 'GET', path: `/v1/logs/export${query(filter)}` } as const;
    const answer = await inTime(this.connection, this.#signal, (signal) => this.#begin(request, signal));
    const end = () => answer.destroy();
    this.#signal.addEventListener('abort', end, { once: true });
    try {
      for await (const part of answer as AsyncIterable<Buffer>) yield part;
    } catch {
      if (this.#signal.aborted) throw this.#signal.reason;
      throw brokenOff(this.connection);
    } finally {
      this.#signal.removeEventListener('abort', end);
    }
  }

  deleteAlert(id: string): Promise<void> {
    return this.#delete(`/v1/alerts/${encodeURIComponent(id)}`);
  }

  async alertHistory(id: string, limit: number): Promise<readonly AlertEvent[]> {
    const path = `/v1/alerts/${encodeURIComponent(id)}/history${query({ limit })}`;
    return (await this.#get(path, eventsAnswer)).events;
  }

  search(request: SearchRequest): Promise<SearchPage> {
    return this.#get(`/v1/logs${query(request)}`, searchPage);
  }

  histogram(request: HistogramRequest): Promise<Histogram> {
    return this.#get(`/v1/logs/histogram${query(request)}`, histogram);
  }

  values(request: ValuesRequest): Promise<ValueCounts> {
    return this.#get(`/v1/logs/values${query(request)}`, valueCounts);
  }

  /** Resolves when the aggregator has begun to answer; from then on it sends the records that are stored. */
  async tail(filter: LogFilter, lastEventId: string | undefined): Promise<AsyncIterable<TailEvent>> {
    const headers = {
      accept: 'text/event-stream',
      ...(lastEventId !== undefined && { 'last-event-id': lastEventId }),
    };
    const request = { method: 'GET', path: `/v1/logs/tail${query(filter)}`, headers } as const;
    const answer = await inTime(this.connection, this.#signal, (signal) => this.#begin(request, signal));
    return tailEvents(this.connection, answer, this.#signal);
  }

  /** The answer of an operation that sends server-sent events, from its head on. `signal` of the API ends it. */
  async events(path: string): Promise<IncomingMessage> {
    const request = { method: 'GET', path, headers: { accept: 'text/event-stream' } } as const;
    const answer = await inTime(this.connection, this.#signal, (signal) => this.#begin(request, signal));
    const end = () => answer.destroy();
    if (this.#signal.aborted) end();
    this.#signal.addEventListener('abort', end, { once: true });
    answer.once('close', () => this.#signal.removeEventListener('abort', end));
    return answer;
  }

  /** Calls an operation that has no method of its own here. */
  async call<Called extends AnyTypedOperation>(
    operation: Called & { readonly answer?: z.ZodType<CallAnswer<Called>> },
    input: CallInput<Called>,
  ): Promise<CallAnswer<Called>> {
    const { method, path } = operationCall(operation, input);
    const request = { method: method as ApiRequest['method'], path, body: input.body as unknown };
    const text = await this.#bodyOf(request);
    const { answer } = operation;
    return answer === undefined
      ? (undefined as CallAnswer<Called>)
      : checkedAnswer(this.connection, text, answer);
  }

  #get<T>(path: string, schema: z.ZodType<T>): Promise<T> {
    return this.#ask({ method: 'GET', path }, schema);
  }

  async #ask<T>(request: ApiRequest, schema: z.ZodType<T>): Promise<T> {
    return checkedAnswer(this.connection, await this.#bodyOf(request), schema);
  }

  async #delete(path: string): Promise<void> {
    await this.#bodyOf({ method: 'DELETE', path });
  }

  #bodyOf(request: ApiRequest): Promise<string> {
    return inTime(this.connection, this.#signal, async (signal) =>
      readBody(this.connection, await this.#begin(request, signal), signal),
    );
  }

  /** The head of a successful answer; its body follows. */
  async #begin(request: ApiRequest, signal: AbortSignal): Promise<IncomingMessage> {
    const { connection } = this;
    const answer = await this.#starting.reach(() => exchange(connection, request, signal), signal);
    const status = answer.statusCode ?? 0;
    if (status >= 200 && status < 300) return answer;
    throw rejectionError({ connection, status, body: await readBody(connection, answer, signal) });
  }
}

/** Values that are undefined are left out; lists and pairs repeat the parameter. */
function query(request: LogFilter | PointsRequest | { readonly limit: number }): string {
  const parameters = new URLSearchParams();
  for (const [name, value] of Object.entries(request)) {
    if (name === 'where') {
      for (const each of (request as LogFilter).where ?? []) {
        parameters.append(name, 'expression' in each ? each.expression : `${each.property}=${each.value}`);
      }
    } else if (value !== undefined) parameters.append(name, String(value));
  }
  const text = parameters.toString();
  return text === '' ? '' : `?${text}`;
}
