import { request } from '../api/client.ts';
import type { AggregatorStatus, CollectorReport } from '../api/status.ts';
import { useResource } from '../api/use-resource.ts';
import { ErrorState, LoadingState } from '../components/states.tsx';
import { BytesText, TimeText } from '../components/texts.tsx';
import { DefinitionList } from '../forms/definition-list.tsx';
import { byteSize, percentage } from '../text/numbers.ts';
import { CollectorTable } from './collector-table.tsx';
import { DeadLetters } from './dead-letters.tsx';
import { EmitterTable } from './emitter-table.tsx';
import { ExplainFile } from './explain-file.tsx';
import { FlowPicture } from './flow-picture.tsx';
import './status.css';

const REFRESH_MS = 3000;

interface Loaded {
  readonly status: AggregatorStatus;
  /** undefined: an aggregator of an earlier version. */
  readonly collectors: readonly CollectorReport[] | undefined;
}

async function load(signal: AbortSignal): Promise<Loaded> {
  const collectors = request<{ collectors: readonly CollectorReport[] }>('collectors', { signal }).then(
    (answer) => answer.collectors,
    () => undefined,
  );
  return { status: await request<AggregatorStatus>('status', { signal }), collectors: await collectors };
}

/** The path of the records with the present numbers, and everything along it. */
export function StatusPage() {
  const { data, problem, reload } = useResource(load, [], { everyMs: REFRESH_MS });
  if (data === undefined)
    return problem === undefined ? <LoadingState /> : <ErrorState problem={problem} onRetry={reload} />;
  const { status, collectors } = data;
  return (
    <div class="document">
      <div class="document-inner">
        <header class="page-head">
          <h1>Status</h1>
          <Health status={status} />
        </header>
        <HealthProblems status={status} />
        <FlowPicture status={status} collectors={collectors} />
        <section class="card">
          <h2>Emitters</h2>
          <EmitterTable emitters={status.emitters} />
        </section>
        <section class="card">
          <h2>Collectors</h2>
          <CollectorTable collectors={collectors} />
          <ExplainFile collectors={(collectors ?? []).filter(({ connected }) => connected)} />
        </section>
        <DeadLetters
          count={status.emitters.reduce((sum, { deadLettered }) => sum + deadLettered.records, 0)}
        />
        <div class="status-columns">
          <DiskCard status={status} />
          <PagerDutyCard status={status} />
        </div>
      </div>
    </div>
  );
}

function Health({ status: { health } }: { readonly status: AggregatorStatus }) {
  if (health === undefined) return null;
  return health.status === 'ok' ? (
    <span class="alert-state ok">healthy</span>
  ) : (
    <span class="alert-state firing">degraded</span>
  );
}

function HealthProblems({ status: { health } }: { readonly status: AggregatorStatus }) {
  if (health === undefined || health.problems.length === 0) return null;
  return (
    <div class="alert-note" role="status">
      <ul class="plain-list">
        {health.problems.map((text) => (
          <li key={text}>{text}</li>
        ))}
      </ul>
    </div>
  );
}

function DiskCard({ status: { disk, diskBytes } }: { readonly status: AggregatorStatus }) {
  return (
    <section class="card">
      <h2>Disk</h2>
      <DefinitionList
        rows={
          disk === undefined
            ? [['Queue', <BytesText key="queue" bytes={diskBytes} />]]
            : [
                ['Directory', <code key="path">{disk.path}</code>],
                [
                  'Queue',
                  `${byteSize(disk.usedBytes)} of ${byteSize(disk.limitBytes)} (${percentage(disk.usedBytes / disk.limitBytes)})`,
                ],
                [
                  'Free',
                  disk.freeBytes === null ? 'not known' : <BytesText key="free" bytes={disk.freeBytes} />,
                ],
              ]
        }
      />
    </section>
  );
}

function PagerDutyCard({ status: { pagerduty } }: { readonly status: AggregatorStatus }) {
  if (pagerduty === undefined) return null;
  const { configured, openIncidents, lastError } = pagerduty;
  return (
    <section class="card">
      <h2>PagerDuty</h2>
      <div class="card-body">
        {!configured && (
          <p class="muted">
            Not configured: failures and alerts are only logged. Set{' '}
            <code>AGGREGATOR_NOTIFY_CONFIGURATION</code>.
          </p>
        )}
        {configured && openIncidents.length === 0 && <p>There are no open incidents.</p>}
        <ul class="plain-list">
          {openIncidents.map(({ key, summary, since }) => (
            <li key={key}>
              <TimeText time={since} digits={0} /> {summary}
            </li>
          ))}
        </ul>
        {lastError != null && <p class="field-error">{lastError}</p>}
      </div>
    </section>
  );
}
