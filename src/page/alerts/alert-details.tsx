import { useState } from 'preact/hooks';
import { request } from '../api/client.ts';
import type { AlertEvent, AlertReport, AlertStatus, MetricPoint } from '../api/monitoring.ts';
import { useResource } from '../api/use-resource.ts';
import { Button } from '../components/button.tsx';
import { DataTable, type TableColumn } from '../components/data-table.tsx';
import { ErrorState, LoadingState } from '../components/states.tsx';
import { AgeText, LogText, TimeText } from '../components/texts.tsx';
import { showToast } from '../components/toast.tsx';
import { ConfirmDialog } from '../forms/confirm-dialog.tsx';
import { DefinitionList } from '../forms/definition-list.tsx';
import { PointsChart } from '../metrics/points-chart.tsx';
import { address, changeParameters, navigate } from '../routing/location.ts';
import { duration, shortNumber } from '../text/numbers.ts';
import { AlertForm } from './alert-form.tsx';
import { alertText, isSilenced, worstState } from './alert-text.ts';
import { SilenceDialog } from './silence-dialog.tsx';
import { StateBadge } from './state-badge.tsx';

interface Loaded {
  readonly alert: AlertReport;
  readonly events: readonly AlertEvent[];
  readonly points: readonly MetricPoint[];
}

const REFRESH_MS = 5000;
const BUCKETS = 120;

async function load(id: string, signal: AbortSignal): Promise<Loaded> {
  const place = `alerts/${encodeURIComponent(id)}`;
  const [alert, { events }] = await Promise.all([
    request<AlertReport>(place, { signal }),
    request<{ events: readonly AlertEvent[] }>(`${place}/history`, { signal }),
  ]);
  const metric = encodeURIComponent(alert.definition.metric);
  const { points } = await request<{ points: readonly MetricPoint[] }>(`metrics/${metric}/points`, {
    query: { limit: BUCKETS },
    signal,
  });
  return { alert, events, points };
}

/** One alert: its states, the metric with the level, its history. */
export function AlertDetails({ id }: { readonly id: string }) {
  const [dialog, setDialog] = useState<'delete' | 'silence' | undefined>(undefined);
  const { data, problem, reload } = useResource((signal) => load(id, signal), [id], { everyMs: REFRESH_MS });
  if (data === undefined)
    return problem === undefined ? <LoadingState /> : <ErrorState problem={problem} onRetry={reload} />;
  const { alert, events, points } = data;
  const { definition } = alert;
  const place = `alerts/${encodeURIComponent(id)}`;
  const remove = async () => {
    await request(place, { method: 'DELETE' });
    showToast(`Alert ${id} is deleted.`);
    navigate({ path: ['alerts'], parameters: {} });
  };
  const close = () => setDialog(undefined);
  return (
    <div class="document">
      <div class="document-inner">
        <header class="page-head">
          <h1>
            <a href="#/alerts">Alerts</a> / {id}
          </h1>
          <StateBadge state={worstState(alert)} />
          <Button onClick={() => setDialog('silence')}>Silence</Button>
          <Button onClick={() => changeParameters({ edit: '1' })}>Edit</Button>
          <Button kind="danger" onClick={() => setDialog('delete')}>
            Delete
          </Button>
        </header>
        <AlertNotes alert={alert} onChanged={reload} />
        <section class="card">
          <h2>{alertText(definition)}</h2>
          <div class="card-body">
            <PointsChart
              label={`${definition.metric}, with the level ${definition.level}`}
              points={points}
              hasSegments={alert.states.some(({ segment }) => segment !== null)}
              valueName={definition.metric}
              level={definition.level}
              emptyText="The metric has no values yet."
            />
          </div>
        </section>
        <section class="card">
          <h2>States</h2>
          <DataTable caption="States by segment" columns={STATES} rows={alert.states} rowKey={segmentKey} />
        </section>
        <section class="card">
          <h2>History</h2>
          {events.length === 0 && <p class="muted card-body">The state has not changed yet.</p>}
          {events.length > 0 && (
            <DataTable
              caption="History"
              columns={HISTORY}
              rows={events}
              rowKey={(each) => `${each.at} ${each.segment}`}
            />
          )}
        </section>
        <section class="card">
          <h2>Definition</h2>
          <DefinitionList rows={definitionRows(alert)} />
        </section>
      </div>
      {address.value.parameters.edit !== undefined && (
        <AlertForm
          alert={definition}
          onClose={() => changeParameters({ edit: undefined })}
          onSaved={reload}
        />
      )}
      {dialog === 'silence' && <SilenceDialog id={id} onClose={close} onSaved={reload} />}
      {dialog === 'delete' && (
        <ConfirmDialog title={`Delete ${id}?`} action="Delete" run={remove} onClose={close}>
          The alert and its history are deleted. Its metric stays.
        </ConfirmDialog>
      )}
    </div>
  );
}

function AlertNotes({ alert, onChanged }: { readonly alert: AlertReport; readonly onChanged: () => void }) {
  const { problem, silence, definition } = alert;
  const end = async () => {
    await request(`alerts/${encodeURIComponent(definition.id)}/silence`, { method: 'DELETE' });
    showToast('The alert notifies again.');
    onChanged();
  };
  return (
    <>
      {problem !== undefined && (
        <p class="alert-note" role="status">
          The alert cannot be checked since <TimeText time={problem.since} digits={0} />: {problem.reason}
        </p>
      )}
      {isSilenced(alert, Date.now()) && silence != null && (
        <div class="alert-note page-head">
          <span>
            Silenced until <TimeText time={silence.until} digits={0} />
            {silence.reason !== undefined && silence.reason !== '' && (
              <>
                : <LogText text={silence.reason} />
              </>
            )}
          </span>
          <Button
            onClick={() => void end().catch((error: Error) => showToast(error.message, { isError: true }))}
          >
            End the silence
          </Button>
        </div>
      )}
    </>
  );
}

const segmentKey = ({ segment }: { readonly segment: string | null }) => segment ?? '';

function segmentCell({ segment }: { readonly segment: string | null }) {
  return segment === null ? <span class="muted">none</span> : <LogText text={segment} />;
}

const observedText = ({ observed }: { readonly observed: number | null }) =>
  observed === null ? '-' : shortNumber(observed);

const STATES: readonly TableColumn<AlertStatus>[] = [
  { title: 'State', cell: ({ state }) => <StateBadge state={state} /> },
  { title: 'Segment', cell: segmentCell },
  { title: 'Observed', isNumber: true, cell: observedText },
  { title: 'Since', cell: ({ since }) => <TimeText time={since} digits={0} /> },
  {
    title: 'Pending',
    cell: ({ pendingSince }) => (pendingSince === null ? '' : <AgeText time={pendingSince} />),
  },
  { title: 'Checked', cell: ({ checkedAt }) => <AgeText time={checkedAt} /> },
];

const HISTORY: readonly TableColumn<AlertEvent>[] = [
  { title: 'Time', cell: ({ at }) => <TimeText time={at} digits={0} /> },
  { title: 'Segment', cell: segmentCell },
  { title: 'From', cell: ({ from }) => <StateBadge state={from} /> },
  { title: 'To', cell: ({ to }) => <StateBadge state={to} /> },
  { title: 'Observed', isNumber: true, cell: observedText },
];

const NO_DATA_TEXTS: Readonly<Record<string, string>> = {
  'no-data': 'has the state "no data"',
  ok: 'is ok',
  firing: 'fires',
  keep: 'keeps its state',
};

function definitionRows({ definition, createdAt }: AlertReport) {
  const { metric, windowSeconds, forSeconds, noData, notify } = definition;
  return [
    [
      'Metric',
      <a key="metric" href={`#/metrics/${encodeURIComponent(metric)}`}>
        {metric}
      </a>,
    ],
    ['Window', duration(windowSeconds)],
    ['Fires after', forSeconds === 0 ? 'at once' : duration(forSeconds)],
    ['Without values', NO_DATA_TEXTS[noData] ?? noData],
    ['Notification', notify ? 'PagerDuty' : 'none'],
    ['Created', <TimeText key="created" time={createdAt} digits={0} />],
  ] as const;
}
