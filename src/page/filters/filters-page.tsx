import { request } from '../api/client.ts';
import { session } from '../api/session.ts';
import type { FilterLineErrors, FilterStatus } from '../api/status.ts';
import { useResource } from '../api/use-resource.ts';
import { DataTable, type TableColumn } from '../components/data-table.tsx';
import { ErrorState, LoadingState } from '../components/states.tsx';
import { LogText, NumberText } from '../components/texts.tsx';
import { Playground } from './playground.tsx';
import './filters.css';

const REFRESH_MS = 10_000;

interface Loaded {
  readonly filters: readonly FilterStatus[];
  /** undefined: only clients with a token may see them. */
  readonly errors: readonly FilterLineErrors[] | undefined;
}

async function load(signal: AbortSignal): Promise<Loaded> {
  const hasToken = session.peek()?.access === 'token';
  const [{ filters }, errors] = await Promise.all([
    request<{ filters: readonly FilterStatus[] }>('filters', { signal }),
    hasToken
      ? request<{ errors: readonly FilterLineErrors[] }>('filters/errors', { signal }).then(
          (answer) => answer.errors,
        )
      : undefined,
  ]);
  return { filters, errors };
}

/** The filters of the emitters, and a playground that runs one over the newest records. */
export function FiltersPage() {
  const access = session.value?.access;
  const { data, problem, reload } = useResource(load, [access], { everyMs: REFRESH_MS });
  return (
    <div class="document">
      <div class="document-inner">
        <header class="page-head">
          <h1>Filters</h1>
        </header>
        <section class="card">
          <h2>In use</h2>
          {data === undefined && problem === undefined && <LoadingState />}
          {data === undefined && problem !== undefined && <ErrorState problem={problem} onRetry={reload} />}
          {data !== undefined && (
            <DataTable
              caption="Filters"
              columns={COLUMNS}
              rows={data.filters}
              rowKey={({ emitter }) => emitter}
            />
          )}
        </section>
        {data?.errors !== undefined && data.errors.length > 0 && <Errors errors={data.errors} />}
        <Playground />
      </div>
    </div>
  );
}

const STATE_CLASSES = { active: 'ok', pending: 'no-data', broken: 'firing' } as const;

const COLUMNS: readonly TableColumn<FilterStatus>[] = [
  { title: 'Emitter', cell: ({ emitter }) => emitter },
  { title: 'Filter', cell: ({ filter }) => filter ?? <span class="muted">none</span> },
  {
    title: 'State',
    cell: ({ state, filter, problems }) => (
      <>
        {filter !== null && <span class={`alert-state ${STATE_CLASSES[state]}`}>{state}</span>}
        {problems.map((text) => (
          <p key={text} class="field-error">
            {text}
          </p>
        ))}
      </>
    ),
  },
  { title: 'Errors', isNumber: true, cell: ({ errors }) => <NumberText value={errors} /> },
];

function Errors({ errors }: { readonly errors: readonly FilterLineErrors[] }) {
  return (
    <section class="card">
      <h2>Values that a filter could not use</h2>
      <DataTable
        caption="Errors by line"
        rows={errors}
        rowKey={({ emitter, file, line }) => `${emitter} ${file} ${line}`}
        columns={[
          { title: 'Place', cell: ({ file, line }) => <code>{`${file}:${line}`}</code> },
          { title: 'Emitter', cell: ({ emitter }) => emitter },
          { title: 'Count', isNumber: true, cell: ({ count }) => <NumberText value={count} /> },
          {
            title: 'First ones',
            cell: ({ samples }) =>
              samples.map(({ reason, value }, at) => (
                <p key={at}>
                  {reason}:{' '}
                  <code>
                    <LogText text={value} />
                  </code>
                </p>
              )),
          },
        ]}
      />
    </section>
  );
}
