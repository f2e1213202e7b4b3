import type { Logger } from 'pino';
import { Registry } from 'prom-client';
import type { SqlDatabase } from '../logstore/sql/sql-database.ts';
import { InterruptibleWait } from '../runtime/async/interruptible-wait.ts';
import { untilAborted } from '../runtime/async/until-aborted.ts';
import type { Clock } from '../runtime/clock.ts';
import type { Component } from '../runtime/component.ts';
import { AlertCatalogue } from './alert-catalogue.ts';
import type {
  AlertDefinition,
  AlertEvent,
  AlertReport,
  AlertStatus,
  EditedAlert,
} from './alert-definition.ts';
import type { AlertPager } from './alert-pager.ts';
import type { AlertSilence, SilenceRequest } from './alert-silence.ts';
import { assertFits } from './alert-window.ts';
import { DEFAULT_ALERTS, DEFAULT_METRICS } from './defaults.ts';
import type { EvaluationProblem } from './evaluation-failures.ts';
import { Evaluator } from './evaluator.ts';
import { MONITOR_EVENTS, type MonitorEvents } from './events.ts';
import { formatIsoTime } from './format-iso-time.ts';
import { LogGroupCatalogue } from './log-group-catalogue.ts';
import type { EditedLogGroup, LogGroupDefinition, LogGroupReport } from './log-group-definition.ts';
import { MetricCatalogue } from './metric-catalogue.ts';
import type {
  EditedMetric,
  MetricDefinition,
  MetricPoint,
  MetricReport,
  PointsRequest,
} from './metric-definition.ts';
import { type CreatedDefaults, type Monitor, MonitorError } from './monitor.ts';
import { MonitorDatabase } from './monitor-database.ts';
import { OpenAlertPages } from './open-alert-pages.ts';
import { simulateAlert, withFirstWindow } from './preview-alert.ts';
import type {
  AlertPreview,
  AlertPreviewRequest,
  MetricPreview,
  MetricPreviewRequest,
} from './preview-definition.ts';
import { previewMetric, previewSpan, shownPoint } from './preview-metric.ts';

/** Creates metrics and alerts over a store with existing tables. */
export function createMonitor(options: MonitorOptions): Monitor & Component {
  return new StoreMonitor(options);
}

export interface MonitorOptions {
  readonly database: SqlDatabase;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly metrics?: Registry;
  readonly pager: AlertPager;
  /** Identifies this process; never used by another one, before or after it. */
  readonly holder: string;
}

class StoreMonitor implements Monitor, Component {
  readonly #events: MonitorEvents;
  readonly #database: MonitorDatabase;
  readonly #metrics: MetricCatalogue;
  readonly #alerts: AlertCatalogue;
  readonly #groups: LogGroupCatalogue;
  readonly #pages: OpenAlertPages;
  readonly #evaluator: Evaluator;
  #running: Promise<void> | undefined;
  #isStopping = false;
  readonly #wait: InterruptibleWait;
  #isWoken = false;

  constructor({ database, clock, logger, metrics = new Registry(), pager, holder }: MonitorOptions) {
    this.#wait = new InterruptibleWait(clock);
    this.#events = MONITOR_EVENTS.open({ logger, metrics });
    this.#database = new MonitorDatabase({ database, clock, holder });
    this.#metrics = new MetricCatalogue(this.#database);
    this.#alerts = new AlertCatalogue(this.#database);
    this.#groups = new LogGroupCatalogue(this.#database);
    this.#pages = new OpenAlertPages(pager, this.#database, this.#events);
    this.#evaluator = new Evaluator({
      database: this.#database,
      pages: this.#pages,
      pager,
      clock,
      events: this.#events,
    });
  }

  get evaluationProblems(): readonly EvaluationProblem[] {
    return this.#evaluator.problems;
  }

  /** Returns at once; a store that is not reachable is tried again later. */
  start(): Promise<void> {
    this.#running ??= this.#run();
    return Promise.resolve();
  }

  async stop(deadline: AbortSignal): Promise<void> {
    this.#isStopping = true;
    this.#wakeUp();
    if (this.#running === undefined) return;
    await untilAborted(this.#running, deadline);
  }

  async #run(): Promise<void> {
    while (!this.#isStopping) {
      const waitMs = await this.#evaluator.turn();
      if (!this.#isStopping && !this.#isWoken) await this.#wait.wait(waitMs);
      this.#isWoken = false;
    }
    if (this.#evaluator.isHolder) await this.#database.release().catch(() => {});
  }

  #wakeUp(): void {
    this.#isWoken = true;
    this.#wait.end();
  }

  #changed(): void {
    this.#evaluator.changed();
    this.#wakeUp();
  }

  async metrics(): Promise<readonly MetricReport[]> {
    const { metrics, reports } = await this.#metrics.list();
    for (const { id, problem } of metrics)
      if (problem !== undefined) this.#events.unreadable({ kind: 'metric', id, reason: problem });
    return reports;
  }

  metric(id: string): Promise<MetricReport> {
    return this.#metrics.get(id);
  }

  async createMetric(definition: MetricDefinition): Promise<MetricReport> {
    const report = await this.#metrics.create(definition);
    this.#changed();
    return report;
  }

  async updateMetric(definition: MetricDefinition): Promise<EditedMetric> {
    const report = await this.#metrics.update(definition);
    this.#changed();
    return report;
  }

  async previewMetric({ definition, ...range }: MetricPreviewRequest): Promise<MetricPreview> {
    const metric = await this.#metrics.expanded(definition);
    const span = previewSpan(range, metric, this.#database.nowUnixMicro);
    return { points: (await previewMetric(this.#database, metric, span)).map(shownPoint) };
  }

  async previewAlert({ definition, metric: given, ...range }: AlertPreviewRequest): Promise<AlertPreview> {
    const metric = await this.#metrics.expanded(given ?? (await this.#alerts.metricOf(definition)));
    assertFits(definition, metric);
    const span = previewSpan(range, metric, this.#database.nowUnixMicro);
    const points = await previewMetric(this.#database, metric, withFirstWindow(span, definition, metric));
    const { observations, changes } = simulateAlert(definition, metric, points, span);
    const shown = points.filter(({ time }) => time >= span.from);
    return {
      points: shown.map(shownPoint),
      observations: observations.map(shownPoint),
      changes: [...changes],
    };
  }

  async deleteMetric(id: string): Promise<void> {
    await this.#metrics.delete(id);
    this.#changed();
  }

  points(id: string, request: PointsRequest): Promise<readonly MetricPoint[]> {
    return this.#metrics.points(id, request);
  }

  async alerts(): Promise<readonly AlertReport[]> {
    const { alerts, reports } = await this.#alerts.list();
    for (const { id, problem } of alerts)
      if (problem !== undefined) this.#events.unreadable({ kind: 'alert', id, reason: problem });
    return reports.map((report) => this.#withProblem(report));
  }

  async alert(id: string): Promise<AlertReport> {
    return this.#withProblem(await this.#alerts.get(id));
  }

  #withProblem(report: AlertReport): AlertReport {
    const found = this.evaluationProblems.find(({ alert }) => alert === report.definition.id);
    if (found === undefined) return report;
    return { ...report, problem: { reason: found.reason, since: formatIsoTime(found.sinceUnixMicro) } };
  }

  async createAlert(definition: AlertDefinition): Promise<AlertReport> {
    const report = await this.#alerts.create(definition);
    this.#changed();
    return report;
  }

  async updateAlert(definition: AlertDefinition): Promise<EditedAlert> {
    const { report, pages } = await this.#alerts.update(definition);
    this.#pages.deleted(pages);
    this.#changed();
    return report;
  }

  async silenceAlert(id: string, request: SilenceRequest): Promise<AlertSilence> {
    const silence = await this.#alerts.silence(id, request);
    this.#changed();
    return silence;
  }

  async unsilenceAlert(id: string): Promise<void> {
    await this.#alerts.unsilence(id);
    this.#changed();
  }

  logGroups(): Promise<readonly LogGroupReport[]> {
    return this.#groups.list();
  }

  logGroup(id: string): Promise<LogGroupReport> {
    return this.#groups.get(id);
  }

  createLogGroup(definition: LogGroupDefinition): Promise<LogGroupReport> {
    return this.#groups.create(definition);
  }

  async updateLogGroup(definition: LogGroupDefinition): Promise<EditedLogGroup> {
    const report = await this.#groups.update(definition);
    this.#changed();
    return report;
  }

  deleteLogGroup(id: string): Promise<void> {
    return this.#groups.delete(id);
  }

  async deleteAlert(id: string): Promise<void> {
    this.#pages.deleted(await this.#alerts.delete(id));
    this.#changed();
  }

  alertHistory(id: string, limit: number): Promise<readonly AlertEvent[]> {
    return this.#alerts.history(id, limit);
  }

  async alertStatuses(): Promise<readonly AlertStatus[]> {
    return (await this.alerts()).flatMap(({ states }) => states);
  }

  async createDefaults(): Promise<CreatedDefaults> {
    const created: string[] = [];
    const existing: string[] = [];
    const create = async (id: string, work: () => Promise<unknown>) => {
      try {
        await work();
        created.push(id);
      } catch (error) {
        if (!(error instanceof MonitorError) || error.kind !== 'exists') throw error;
        existing.push(id);
      }
    };
    for (const metric of DEFAULT_METRICS) await create(metric.id, () => this.createMetric(metric));
    for (const alert of DEFAULT_ALERTS) await create(alert.id, () => this.createAlert(alert));
    return { created, existing };
  }
}
