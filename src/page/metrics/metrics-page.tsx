import { request } from '../api/client.ts';
import type { MetricReport } from '../api/monitoring.ts';
import { useResource } from '../api/use-resource.ts';
import { Button } from '../components/button.tsx';
import { DataTable, type TableColumn } from '../components/data-table.tsx';
import { EmptyState, ErrorState, LoadingState } from '../components/states.tsx';
import { AgeText, NumberText } from '../components/texts.tsx';
import { useKeys } from '../keyboard/keys.ts';
import type { PageProps } from '../pages/page-props.ts';
import { address, changeParameters } from '../routing/location.ts';
import { duration } from '../text/numbers.ts';
import { MetricDetails } from './metric-details.tsx';
import { MetricForm } from './metric-form.tsx';
import { segmentText, statisticText } from './metric-text.ts';

const REFRESH_MS = 10_000;

export function MetricsPage({ path }: PageProps) {
  const [id] = path;
  return id === undefined ? <MetricList /> : <MetricDetails key={id} id={id} />;
}

function MetricList() {
  const { data, problem, reload } = useResource(
    (signal) => request<{ metrics: readonly MetricReport[] }>('metrics', { signal }),
    [],
    { everyMs: REFRESH_MS },
  );
  const isCreating = address.value.parameters.new !== undefined;
  const open = () => changeParameters({ new: '1' });
  const close = () => changeParameters({ new: undefined });
  useKeys('Metrics', [{ key: 'n', description: 'New metric', run: open }]);
  return (
    <div class="document">
      <div class="document-inner">
        <header class="page-head">
          <h1>Metrics</h1>
          <Button kind="primary" icon="plus" shortcut="n" label="New metric" onClick={open}>
            New metric
          </Button>
        </header>
        <MetricTable metrics={data?.metrics} problem={problem} onRetry={reload} />
      </div>
      {isCreating && <MetricForm onClose={close} onSaved={reload} />}
    </div>
  );
}

interface MetricTableProps {
  readonly metrics: readonly MetricReport[] | undefined;
  readonly problem: Parameters<typeof ErrorState>[0]['problem'] | undefined;
  readonly onRetry: () => void;
}

function MetricTable({ metrics, problem, onRetry }: MetricTableProps) {
  if (metrics === undefined)
    return problem === undefined ? <LoadingState /> : <ErrorState problem={problem} onRetry={onRetry} />;
  if (metrics.length === 0)
    return (
      <EmptyState title="There are no metrics yet.">
        A metric counts records, or computes a statistic of a property, in intervals of time. Alerts watch
        metrics.
      </EmptyState>
    );
  return (
    <div class="card">
      <DataTable
        caption="Metrics"
        columns={COLUMNS}
        rows={metrics}
        rowKey={({ definition }) => definition.id}
      />
    </div>
  );
}

const COLUMNS: readonly TableColumn<MetricReport>[] = [
  {
    title: 'Name',
    cell: ({ definition: { id } }) => <a href={`#/metrics/${encodeURIComponent(id)}`}>{id}</a>,
  },
  { title: 'Statistic', cell: ({ definition }) => statisticText(definition) },
  { title: 'Segments', cell: ({ definition }) => segmentText(definition.segment) },
  { title: 'Interval', isNumber: true, cell: ({ definition }) => duration(definition.periodSeconds) },
  { title: 'Values', isNumber: true, cell: ({ points }) => <NumberText value={points} /> },
  {
    title: 'Refreshed',
    cell: ({ refreshedAt }) => (refreshedAt === null ? 'not yet' : <AgeText time={refreshedAt} />),
  },
  {
    title: 'Problems',
    cell: ({ setAside = [], unknown = [] }) => {
      const count = setAside.length + unknown.length;
      return count === 0 ? <span class="muted">none</span> : <span class="warn-text">{count}</span>;
    },
  },
];
