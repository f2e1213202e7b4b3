import { useState } from 'preact/hooks';
import { alertText } from '../alerts/alert-text.ts';
import { request } from '../api/client.ts';
import type { AlertReport, MetricPoint, MetricReport } from '../api/monitoring.ts';
import { useResource } from '../api/use-resource.ts';
import { Button } from '../components/button.tsx';
import { ErrorState, LoadingState } from '../components/states.tsx';
import { TimeText } from '../components/texts.tsx';
import { showToast } from '../components/toast.tsx';
import { ConfirmDialog } from '../forms/confirm-dialog.tsx';
import { DefinitionList } from '../forms/definition-list.tsx';
import { address, changeParameters, navigate } from '../routing/location.ts';
import { duration } from '../text/numbers.ts';
import { MetricForm } from './metric-form.tsx';
import { filterText, segmentText, statisticText } from './metric-text.ts';
import { PointsChart } from './points-chart.tsx';

interface Loaded {
  readonly metric: MetricReport;
  readonly points: readonly MetricPoint[];
  readonly alerts: readonly AlertReport[];
}

const BUCKETS = ['60', '180', '720', '2000'] as const;
const REFRESH_MS = 10_000;

async function load(id: string, limit: string, signal: AbortSignal): Promise<Loaded> {
  const place = `metrics/${encodeURIComponent(id)}`;
  const [metric, { points }, { alerts }] = await Promise.all([
    request<MetricReport>(place, { signal }),
    request<{ points: readonly MetricPoint[] }>(`${place}/points`, { query: { limit }, signal }),
    request<{ alerts: readonly AlertReport[] }>('alerts', { signal }),
  ]);
  return { metric, points, alerts: alerts.filter(({ definition }) => definition.metric === id) };
}

/** One metric: its chart, its values, its definition, and the alerts on it. */
export function MetricDetails({ id }: { readonly id: string }) {
  const { parameters } = address.value;
  const limit = parameters.buckets ?? BUCKETS[0];
  const [isDeleting, setDeleting] = useState(false);
  const { data, problem, reload } = useResource((signal) => load(id, limit, signal), [id, limit], {
    everyMs: REFRESH_MS,
  });
  if (data === undefined)
    return problem === undefined ? <LoadingState /> : <ErrorState problem={problem} onRetry={reload} />;
  const { definition } = data.metric;
  const remove = async () => {
    await request(`metrics/${encodeURIComponent(id)}`, { method: 'DELETE' });
    showToast(`Metric ${id} is deleted.`);
    navigate({ path: ['metrics'], parameters: {} });
  };
  return (
    <div class="document">
      <div class="document-inner">
        <header class="page-head">
          <h1>
            <a href="#/metrics">Metrics</a> / {id}
          </h1>
          <a class="button" href={`#/alerts?new=1&metric=${encodeURIComponent(id)}`}>
            New alert
          </a>
          <Button onClick={() => changeParameters({ edit: '1' })}>Edit</Button>
          <Button kind="danger" onClick={() => setDeleting(true)}>
            Delete
          </Button>
        </header>
        <MetricChart data={data} limit={limit} />
        <section class="card">
          <h2>Definition</h2>
          <DefinitionList
            rows={[
              ['Statistic', statisticText(definition)],
              ['Records', filterText(definition.filter) || 'all'],
              ['Segments', segmentText(definition.segment)],
              ['Interval', duration(definition.periodSeconds)],
              ['Late records', `counted for ${duration(definition.startOffsetSeconds ?? 0)}`],
              ['Created', <TimeText key="created" time={data.metric.createdAt} digits={0} />],
              ['Alerts', <AlertLinks key="alerts" alerts={data.alerts} />],
            ]}
          />
        </section>
        <Problems metric={data.metric} />
      </div>
      {parameters.edit !== undefined && (
        <MetricForm
          metric={definition}
          onClose={() => changeParameters({ edit: undefined })}
          onSaved={reload}
        />
      )}
      {isDeleting && (
        <ConfirmDialog
          title={`Delete ${id}?`}
          action="Delete"
          run={remove}
          onClose={() => setDeleting(false)}
        >
          The metric and all its values are deleted. The records stay, so that a new metric with the same
          definition can compute the newest values again.
        </ConfirmDialog>
      )}
    </div>
  );
}

function MetricChart({ data, limit }: { readonly data: Loaded; readonly limit: string }) {
  const { definition } = data.metric;
  return (
    <section class="card">
      <div class="card-head">
        <h2>{statisticText(definition)}</h2>
        <label class="check">
          Intervals
          <select
            value={limit}
            onChange={(event) => changeParameters({ buckets: event.currentTarget.value })}
          >
            {BUCKETS.map((count) => (
              <option key={count} value={count}>
                {count} x {duration(definition.periodSeconds)}
              </option>
            ))}
          </select>
        </label>
      </div>
      <div class="card-body">
        <PointsChart
          label={`${statisticText(definition)} over time`}
          points={data.points}
          hasSegments={definition.segment !== undefined}
          valueName={statisticText(definition)}
          emptyText="There are no values yet: the first interval must be complete."
        />
      </div>
    </section>
  );
}

function AlertLinks({ alerts }: { readonly alerts: readonly AlertReport[] }) {
  if (alerts.length === 0) return <>none</>;
  return (
    <>
      {alerts.map(({ definition }) => (
        <div key={definition.id}>
          <a href={`#/alerts/${encodeURIComponent(definition.id)}`}>{definition.id}</a>:{' '}
          {alertText(definition)}
        </div>
      ))}
    </>
  );
}

function Problems({ metric: { setAside = [], unknown = [] } }: { readonly metric: MetricReport }) {
  if (setAside.length + unknown.length === 0) return null;
  return (
    <section class="card">
      <h2>Problems</h2>
      <ul class="plain-list card-body">
        {unknown.map(({ message }) => (
          <li key={message}>{message}</li>
        ))}
        {setAside.map(({ time, reason }) => (
          <li key={time}>
            <TimeText time={time} digits={0} />: {reason}
          </li>
        ))}
      </ul>
    </section>
  );
}
