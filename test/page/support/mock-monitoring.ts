import type {
  AlertReport,
  LogGroup,
  MetricDefinition,
  MetricPoint,
} from '../../../src/page/api/monitoring.ts';

const CREATED = '2026-11-28T08:00:00.000Z';
const MINUTE_MS = 60_000;

/** A request that the aggregator refuses, with the problems of its fields. */
export class MockRefusal extends Error {
  readonly problems: readonly { readonly path: string; readonly message: string }[];

  constructor(problems: MockRefusal['problems']) {
    super('The request has a problem.');
    this.problems = problems;
  }
}

interface MockCall {
  readonly method: string;
  /** Without `v1/`: `metrics/requests/points`. */
  readonly path: string;
  readonly body: string;
}

/** Metrics, alerts and log groups of the mock: those of its start, and those that a test creates. */
export class MockMonitoring {
  readonly #metrics = new Map<string, MetricDefinition>();
  readonly #alerts = new Map<string, AlertReport>();
  readonly #groups = new Map<string, LogGroup>();

  /** A metric with segments, alerts in all states, and a group. */
  fill(): void {
    for (const id of ['requests', 'latency']) {
      this.#metrics.set(id, {
        ...{
          id,
          statistic: id === 'latency' ? 'p95' : 'count',
          property: id === 'latency' ? 'duration' : '*',
        },
        periodSeconds: 60,
        ...(id === 'requests' && { segment: 'status_code' }),
        filter: { where: [{ expression: 'url.path starts_with "/api"' }] },
      });
    }
    for (const state of ['ok', 'firing', 'no-data'] as const) {
      const definition = { ...ALERT, id: `alert_${state.replace('-', '_')}` };
      this.#alerts.set(definition.id, alertReport(definition, state));
    }
    this.#groups.set('shop', {
      ...{ id: 'shop', expression: 'service == "shop"', description: 'The shop without its health checks' },
    });
  }

  clear(): void {
    for (const each of [this.#metrics, this.#alerts, this.#groups]) each.clear();
  }

  /** undefined: it is another operation. Throws MockRefusal. */
  answer({ method, path, body }: MockCall): object | undefined {
    const [collection, id, part] = path.split('/').map(decodeURIComponent);
    const given = (body === '' ? {} : JSON.parse(body)) as { readonly id?: string };
    if (collection === 'metrics') return this.#metric({ method, id, part, given });
    if (collection === 'alerts') return this.#alert({ method, id, part, given });
    if (collection === 'log-groups') {
      return changed(this.#groups, { method, id, given }) ?? { groups: [...this.#groups.values()] };
    }
    return undefined;
  }

  #metric({ method, id, part, given }: Parts): object {
    if (part === 'points' || id === 'preview') return { points: points(id === 'requests') };
    const done = changed(this.#metrics, { method, id, given });
    if (done !== undefined) return done;
    const reports = [...this.#metrics.values()].map((definition) => ({
      ...{ definition, createdAt: CREATED, refreshedAt: new Date().toISOString(), points: 1234 },
    }));
    return id === undefined ? { metrics: reports } : named(reports, id);
  }

  #alert({ method, id = '', part, given }: Parts): object {
    const present = this.#alerts.get(id);
    if (id === 'preview') return { points: points(false), changes: [EVENT] };
    if (part === 'history') return { events: [EVENT] };
    if (part === 'silence' && present !== undefined) {
      const silence = method === 'DELETE' ? null : (given as unknown as AlertReport['silence'] & object);
      this.#alerts.set(id, { ...present, silence });
      return {};
    }
    if (method === 'DELETE') this.#alerts.delete(id);
    if (method === 'POST' || method === 'PUT') {
      const definition = given as AlertReport['definition'];
      checkName(definition.id);
      this.#alerts.set(definition.id, alertReport(definition, 'ok'));
    }
    const reports = [...this.#alerts.values()];
    return id === '' || method === 'DELETE' ? { alerts: reports } : named(reports, id);
  }
}

interface Parts {
  readonly method: string;
  readonly id: string | undefined;
  readonly part?: string | undefined;
  readonly given: { readonly id?: string };
}

const ALERT: Omit<AlertReport['definition'], 'id'> = {
  ...{ metric: 'requests', level: 40, windowSeconds: 300, forSeconds: 0, notify: true },
  statistic: 'avg',
  comparison: '>',
  noData: 'no-data',
};

const EVENT = { segment: null, at: CREATED, from: 'ok', to: 'firing', observed: 55 } as const;

function alertReport(definition: AlertReport['definition'], state: 'ok' | 'firing' | 'no-data'): AlertReport {
  return {
    ...{ definition, createdAt: CREATED, silence: null },
    states: [
      {
        ...{ alert: definition.id, segment: null, state, since: CREATED, pendingSince: null },
        ...{ observed: state === 'no-data' ? null : 55, checkedAt: new Date().toISOString() },
      },
    ],
  };
}

function points(hasSegments: boolean): readonly MetricPoint[] {
  const last = Math.floor(Date.now() / MINUTE_MS) * MINUTE_MS;
  return Array.from({ length: 60 }, (_, at) => at).flatMap((at) =>
    (hasSegments ? ['200', '404', '500'] : [null]).map((segment, place) => ({
      time: new Date(last - (60 - at) * MINUTE_MS).toISOString(),
      ...{ segment, value: Math.round(60 / (place + 1) + 10 * Math.sin(at / 5)) },
    })),
  );
}

function changed<Item extends { readonly id: string }>(
  items: Map<string, Item>,
  { method, id = '', given }: Omit<Parts, 'part'>,
): object | undefined {
  if (method === 'GET') return undefined;
  if (method === 'DELETE') items.delete(id);
  else {
    checkName(given.id);
    items.set(given.id, given as Item);
  }
  return {};
}

function checkName(id: string | undefined): asserts id is string {
  if (id === undefined || !/^[a-z][a-z0-9_]*$/.test(id)) {
    throw new MockRefusal([{ path: 'id', message: 'expected a lower-case letter, then a-z, 0-9 and _' }]);
  }
}

function named<Report extends { readonly definition: { readonly id: string } }>(
  reports: readonly Report[],
  id: string,
): Report {
  const found = reports.find(({ definition }) => definition.id === id);
  if (found === undefined) throw new Error(`There is no ${id}.`);
  return found;
}
