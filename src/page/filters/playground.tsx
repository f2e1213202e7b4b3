import { useRef, useState } from 'preact/hooks';
import { request } from '../api/client.ts';
import { asProblem, type Problem } from '../api/problem.ts';
import { session } from '../api/session.ts';
import type { FilterTrial } from '../api/status.ts';
import { Button } from '../components/button.tsx';
import { EmptyState, ErrorState } from '../components/states.tsx';
import { announce } from '../components/toast.tsx';
import { TriedRecords } from './tried-records.tsx';

const EXAMPLE = `# Drop health checks, and mark failures.
if url.path starts_with "/health" {
  drop
}
if status_code >= 500 {
  tags += "failed"
}
`;

/** A filter over the newest records of the queue: nothing is changed or sent. */
export function Playground() {
  const [text, setText] = useState(EXAMPLE);
  const [trial, setTrial] = useState<FilterTrial | undefined>(undefined);
  const [problem, setProblem] = useState<Problem | undefined>(undefined);
  const [isRunning, setRunning] = useState(false);
  const run = async () => {
    setRunning(true);
    try {
      const answer = await request<FilterTrial>('filters/try', { method: 'POST', body: { text, limit: 50 } });
      setTrial(answer);
      setProblem(undefined);
      announce(summaryOf(answer));
    } catch (error) {
      setProblem(asProblem(error));
    } finally {
      setRunning(false);
    }
  };
  return (
    <section class="card">
      <div class="card-head">
        <h2>Playground</h2>
        <Button
          kind="primary"
          icon="play"
          isDisabled={isRunning || session.value?.access !== 'token'}
          onClick={() => void run()}
        >
          Run over the newest records
        </Button>
      </div>
      <div class="card-body form-rows">
        {session.value?.access !== 'token' && <NoAccess />}
        <FilterEditor text={text} onChange={setText} trial={trial} onRun={() => void run()} />
        {problem !== undefined && <ErrorState problem={problem} />}
        {problem === undefined && trial !== undefined && <TrialResult trial={trial} />}
      </div>
    </section>
  );
}

function NoAccess() {
  return (
    <p class="alert-note">
      The playground shows records of the queue, so it needs a token: set <code>AGGREGATOR_HTTP_TOKEN</code>{' '}
      at the aggregator and sign in, or use <code>mega-collector filter try --live FILE</code>.
    </p>
  );
}

function summaryOf({ problems, records }: FilterTrial): string {
  if (problems.length > 0) return `${problems.length} problems in the filter`;
  const dropped = records.filter(({ after }) => after.length === 0).length;
  return `${records.length} records, ${dropped} dropped`;
}

function TrialResult({ trial }: { readonly trial: FilterTrial }) {
  const { problems, records, errors } = trial;
  if (problems.length > 0)
    return (
      <ul class="plain-list" role="alert">
        {problems.map(({ line, column, reason }) => (
          <li key={`${line} ${column} ${reason}`} class="field-error">
            Line {line}, column {column}: {reason}
          </li>
        ))}
      </ul>
    );
  if (records.length === 0)
    return (
      <EmptyState title="The queue has no records.">
        Records appear here when a collector sends them.
      </EmptyState>
    );
  return (
    <>
      <p>{summaryOf(trial)}</p>
      {(errors?.samples ?? []).map(({ line, reason, value }, at) => (
        <p key={at} class="warn-text">
          Line {line}: {reason} ({value})
        </p>
      ))}
      <TriedRecords records={records} />
    </>
  );
}

interface FilterEditorProps {
  readonly text: string;
  readonly onChange: (text: string) => void;
  readonly trial: FilterTrial | undefined;
  readonly onRun: () => void;
}

/** A text area with line numbers: lines that ran for a record have a mark, lines with a problem another one. */
function FilterEditor({ text, onChange, trial, onRun }: FilterEditorProps) {
  const gutter = useRef<HTMLDivElement>(null);
  const ran = new Set(trial?.records.flatMap(({ lines }) => lines));
  const broken = new Set(trial?.problems.map(({ line }) => line));
  const count = text.split('\n').length;
  return (
    <div class="editor">
      <div class="editor-gutter" ref={gutter} aria-hidden="true">
        {Array.from({ length: count }, (_, at) => at + 1).map((line) => (
          <div key={line} class={broken.has(line) ? 'broken' : ran.has(line) ? 'ran' : ''}>
            {line}
          </div>
        ))}
      </div>
      <textarea
        class="mono"
        aria-label="Filter"
        rows={Math.min(Math.max(count + 1, 8), 24)}
        spellcheck={false}
        wrap="off"
        value={text}
        onInput={(event) => onChange(event.currentTarget.value)}
        onScroll={(event) => {
          if (gutter.current !== null) gutter.current.scrollTop = event.currentTarget.scrollTop;
        }}
        onKeyDown={(event) => {
          if (event.key === 'Enter' && (event.ctrlKey || event.metaKey)) {
            event.preventDefault();
            onRun();
          }
        }}
      />
    </div>
  );
}
