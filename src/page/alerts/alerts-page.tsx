import { request } from '../api/client.ts';
import type { AlertReport } from '../api/monitoring.ts';
import type { Problem } from '../api/problem.ts';
import { useResource } from '../api/use-resource.ts';
import { Button } from '../components/button.tsx';
import { DataTable, type TableColumn } from '../components/data-table.tsx';
import { EmptyState, ErrorState, LoadingState } from '../components/states.tsx';
import { AgeText, TimeText } from '../components/texts.tsx';
import { useKeys } from '../keyboard/keys.ts';
import type { PageProps } from '../pages/page-props.ts';
import { address, changeParameters } from '../routing/location.ts';
import { AlertDetails } from './alert-details.tsx';
import { AlertForm } from './alert-form.tsx';
import { alertText, byUrgency, isSilenced, worstState } from './alert-text.ts';
import { StateBadge } from './state-badge.tsx';

const REFRESH_MS = 5000;

export function AlertsPage({ path }: PageProps) {
  const [id] = path;
  return id === undefined ? <AlertList /> : <AlertDetails key={id} id={id} />;
}

function AlertList() {
  const { data, problem, reload } = useResource(
    (signal) => request<{ alerts: readonly AlertReport[] }>('alerts', { signal }),
    [],
    { everyMs: REFRESH_MS },
  );
  const { parameters } = address.value;
  const open = () => changeParameters({ new: '1' });
  const close = () => changeParameters({ new: undefined, metric: undefined });
  useKeys('Alerts', [{ key: 'n', description: 'New alert', run: open }]);
  return (
    <div class="document">
      <div class="document-inner">
        <header class="page-head">
          <h1>Alerts</h1>
          <Button kind="primary" icon="plus" shortcut="n" label="New alert" onClick={open}>
            New alert
          </Button>
        </header>
        <AlertTable alerts={data?.alerts} problem={problem} onRetry={reload} />
      </div>
      {parameters.new !== undefined && (
        <AlertForm
          onClose={close}
          onSaved={reload}
          {...(parameters.metric !== undefined && { metric: parameters.metric })}
        />
      )}
    </div>
  );
}

interface AlertTableProps {
  readonly alerts: readonly AlertReport[] | undefined;
  readonly problem: Problem | undefined;
  readonly onRetry: () => void;
}

function AlertTable({ alerts, problem, onRetry }: AlertTableProps) {
  if (alerts === undefined)
    return problem === undefined ? <LoadingState /> : <ErrorState problem={problem} onRetry={onRetry} />;
  if (alerts.length === 0)
    return (
      <EmptyState title="There are no alerts yet.">
        An alert compares a metric with a level, and notifies PagerDuty when the comparison is true.
      </EmptyState>
    );
  return (
    <div class="card">
      <DataTable
        caption="Alerts"
        columns={COLUMNS}
        rows={alerts.toSorted(byUrgency)}
        rowKey={({ definition }) => definition.id}
      />
    </div>
  );
}

const COLUMNS: readonly TableColumn<AlertReport>[] = [
  { title: 'State', cell: (alert) => <StateBadge state={worstState(alert)} /> },
  {
    title: 'Name',
    cell: ({ definition: { id } }) => <a href={`#/alerts/${encodeURIComponent(id)}`}>{id}</a>,
  },
  { title: 'Condition', cell: ({ definition }) => alertText(definition) },
  { title: 'Firing', isNumber: true, cell: (alert) => firingText(alert) },
  { title: 'Since', cell: (alert) => sinceCell(alert) },
  { title: 'Notification', cell: (alert) => notificationCell(alert) },
];

function firingText({ states }: AlertReport): string {
  const firing = states.filter(({ state }) => state === 'firing').length;
  return states.length <= 1 && states[0]?.segment == null ? '' : `${firing} of ${states.length} segments`;
}

function sinceCell(alert: AlertReport) {
  const state = worstState(alert);
  const since = alert.states
    .filter((each) => each.state === state)
    .map((each) => each.since)
    .toSorted()[0];
  return since === undefined ? '' : <AgeText time={since} />;
}

function notificationCell(alert: AlertReport) {
  if (alert.problem !== undefined) return <span class="warn-text">cannot be checked</span>;
  if (isSilenced(alert, Date.now()) && alert.silence != null)
    return (
      <>
        silenced until <TimeText time={alert.silence.until} digits={0} />
      </>
    );
  return alert.definition.notify ? 'on' : <span class="muted">off</span>;
}
