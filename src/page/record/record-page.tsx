import { request } from '../api/client.ts';
import { useResource } from '../api/use-resource.ts';
import { SeverityBadge } from '../components/severity-badge.tsx';
import { EmptyState, ErrorState, LoadingState } from '../components/states.tsx';
import { TimeText } from '../components/texts.tsx';
import { useKeys } from '../keyboard/keys.ts';
import type { PageProps } from '../pages/page-props.ts';
import { CopyButtons, copyLink } from '../records/copy-buttons.tsx';
import { FieldTable } from '../records/field-table.tsx';
import type { LogEntry } from '../records/log-entry.ts';
import { ContextPane } from './context-pane.tsx';
import { RawView } from './raw-view.tsx';
import './record.css';

interface RecordAnswer {
  readonly entry: LogEntry;
  readonly raw: string | null;
  readonly rawNote: string;
  readonly format: string;
  readonly explanation: readonly string[];
}

/** One record by its stream and position: its neighbours, its fields, its bytes, and why it was parsed so. */
export function RecordPage({ path: [stream = '', position = ''] }: PageProps) {
  const isAddress = stream !== '' && /^\d+$/.test(position);
  const record = useResource(
    async (signal) =>
      isAddress
        ? await request<RecordAnswer>(`logs/${encodeURIComponent(stream)}/${position}`, { signal })
        : undefined,
    [stream, position],
  );
  if (!isAddress) {
    return (
      <EmptyState title="This is not the address of a record.">
        It has the form <code>#/r/STREAM/POSITION</code>. <a href="#/search">Open the search</a>
      </EmptyState>
    );
  }
  const isPresent = record.data?.entry.stream === stream && String(record.data.entry.position) === position;
  return (
    <div class="record-page">
      <ContextPane stream={stream} position={Number(position)} />
      <section class="record-pane" aria-label="The record">
        {record.problem !== undefined && <ErrorState problem={record.problem} onRetry={record.reload} />}
        {record.problem === undefined && !isPresent && <LoadingState />}
        {record.problem === undefined && isPresent && record.data !== undefined && (
          <RecordContent record={record.data} />
        )}
      </section>
    </div>
  );
}

function RecordContent({
  record: { entry, raw, rawNote, format, explanation },
}: {
  readonly record: RecordAnswer;
}) {
  useKeys('Record', [
    { key: 'y', description: 'Copy a link to the record', run: () => void copyLink(entry) },
  ]);
  return (
    <>
      <header class="record-head">
        <h1>
          <SeverityBadge severity={entry.severity} /> <TimeText time={entry.time} digits={6} />
        </h1>
        <p class="muted record-place">
          Stream <code>{entry.stream}</code>, position <code>{entry.position}</code>
        </p>
        <div class="detail-tools">
          <CopyButtons entry={entry} />
        </div>
      </header>
      <h2>Parsed</h2>
      <FieldTable entry={entry} />
      <h2>Raw</h2>
      <RawView key={`${entry.stream} ${entry.position}`} raw={raw} note={rawNote} />
      <h2>Why it was parsed so</h2>
      <p>
        Format <code>{format}</code>
      </p>
      <ul class="explanation">
        {explanation.map((line) => (
          <li key={line}>{line}</li>
        ))}
      </ul>
    </>
  );
}
