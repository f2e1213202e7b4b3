import type { ApiStore } from '../../../src/aggregator/api/operations/api-store.ts';
import type { LogEntry } from '../../../src/logstore/logs/log-requests.ts';
import type { LogSearch } from '../../../src/logstore/logs/log-search.ts';
import type { AlertEvent, AlertReport, AlertStatus } from '../../../src/monitoring/alert-definition.ts';
import { alertDefinition } from '../../../src/monitoring/alert-definition.ts';
import type { AlertSilence } from '../../../src/monitoring/alert-silence.ts';
import type { LogGroupReport } from '../../../src/monitoring/log-group-definition.ts';
import {
  type MetricPoint,
  type MetricReport,
  metricDefinition,
} from '../../../src/monitoring/metric-definition.ts';
import type { Monitor } from '../../../src/monitoring/monitor.ts';
import type { PreviewPoint } from '../../../src/monitoring/preview-definition.ts';

/** A store that answers the same to everything, and writes down what it was asked. */
export interface FakeStore extends ApiStore {
  readonly asked: readonly (readonly unknown[])[];
}

/** `search`, `monitor`: what is answered otherwise. */
export function fakeStore(search: Partial<LogSearch> = {}, monitor: Partial<Monitor> = {}): FakeStore {
  const asked: unknown[][] = [];
  const written = <T extends object>(target: T): T =>
    new Proxy(target, {
      get: (found, name) => {
        const method: unknown = Reflect.get(found, name);
        if (typeof method !== 'function') return method;
        return (...input: unknown[]): unknown => {
          asked.push([String(name), ...input]);
          return Reflect.apply(method, found, input);
        };
      },
    });
  return {
    asked,
    search: written({ ...SEARCH, ...search }),
    monitor: written({ ...MONITOR, ...monitor }),
  };
}

export const ENTRY: LogEntry = {
  time: '2026-01-31T10:00:00.000001Z',
  observedTime: '2026-01-31T10:00:01.000000Z',
  severity: 'error',
  severityNumber: 17,
  severityText: 'ERROR',
  host: 'web-1',
  service: null,
  source: '/var/log/app.log',
  format: 'json',
  body: 'a "body"\nof two lines',
  attributes: { 'http.request.method': 'GET', nested: { list: [1, null, true] } },
  stream: '0197c0de-0000-7000-8000-000000000001',
  position: 4096,
};

const METRIC: MetricReport = {
  definition: metricDefinition.parse({ id: 'requests' }),
  createdAt: '2026-01-31T10:00:00.000000Z',
  refreshedAt: null,
  points: 0,
};

const STATUS: AlertStatus = {
  alert: 'too_many',
  segment: null,
  state: 'firing',
  since: '2026-01-31T10:00:00.000000Z',
  observed: 12.5,
  level: 10,
  comparison: '>',
  pendingSince: null,
  checkedAt: '2026-01-31T10:01:00.000000Z',
};

const ALERT: AlertReport = {
  definition: alertDefinition.parse({ id: 'too_many', metric: 'requests', level: 10 }),
  createdAt: '2026-01-31T10:00:00.000000Z',
  states: [STATUS],
};

const POINT: MetricPoint = { time: '2026-01-31T10:00:00.000000Z', segment: null, value: 3, count: 3 };

const EVENT: AlertEvent = {
  alert: 'too_many',
  segment: '/api',
  at: '2026-01-31T10:00:00.000000Z',
  from: 'ok',
  to: 'firing',
  observed: 12.5,
  level: 10,
  comparison: '>',
};

const SILENCE: AlertSilence = { until: '2026-01-31T12:00:00.000Z', reason: 'planned work', by: 'ann' };

const GROUP: LogGroupReport = {
  id: 'checkout',
  description: '',
  expression: 'service.name == "checkout"',
  createdAt: '2026-01-31T10:00:00.000Z',
  usedBy: ['requests'],
};

const PREVIEWED: PreviewPoint = { time: '2026-01-31T10:00:00.000Z', segment: null, value: 3 };

const SEARCH: LogSearch = {
  search: async () => ({ entries: [ENTRY], next: 'further' }),
  histogram: async () => ({
    intervalSeconds: 60,
    total: 3,
    bars: [{ time: '2026-01-31T10:00:00.000000Z', count: 3 }],
  }),
  values: async () => ({
    values: [
      { value: '200', count: 2 },
      { value: null, count: 1 },
    ],
  }),
  fields: async () => ({
    fields: [
      {
        name: 'severity',
        kind: 'column',
        type: 'text',
        count: 1,
        distinct: 1,
        values: [{ value: 'error', count: 1 }],
      },
    ],
    sampled: 1,
    complete: true,
  }),
  record: async () => ENTRY,
  context: async () => ({ entries: [ENTRY], atStart: true, atEnd: false, withinSeconds: null }),
  unknown: async () => [],
  tail: async (_request, place = new Map()) => ({ entries: [], place, skipped: 0 }),
};

const MONITOR: Monitor = {
  evaluationProblems: [],
  metrics: async () => [METRIC],
  metric: async () => METRIC,
  createMetric: async (definition) => ({ ...METRIC, definition }),
  updateMetric: async (definition) => ({ ...METRIC, definition, changes: [] }),
  deleteMetric: async () => {},
  points: async () => [POINT],
  alerts: async () => [ALERT],
  alert: async () => ALERT,
  createAlert: async (definition) => ({ ...ALERT, definition }),
  updateAlert: async (definition) => ({ ...ALERT, definition, changes: [] }),
  deleteAlert: async () => {},
  silenceAlert: async () => SILENCE,
  unsilenceAlert: async () => {},
  previewMetric: async () => ({ points: [PREVIEWED] }),
  previewAlert: async () => ({ points: [PREVIEWED], observations: [PREVIEWED], changes: [EVENT] }),
  logGroups: async () => [GROUP],
  logGroup: async () => GROUP,
  createLogGroup: async (definition) => ({ ...GROUP, ...definition }),
  updateLogGroup: async (definition) => ({ ...GROUP, ...definition, changes: [] }),
  deleteLogGroup: async () => {},
  alertHistory: async () => [EVENT],
  alertStatuses: async () => [STATUS],
  createDefaults: async () => ({ created: ['total_traffic'], existing: [] }),
};
