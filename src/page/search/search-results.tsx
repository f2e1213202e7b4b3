import { Problem } from '../api/problem.ts';
import { Button } from '../components/button.tsx';
import { EmptyState, ErrorState, LoadingState } from '../components/states.tsx';
import { rangeTitle } from '../ranges/range-button.tsx';
import { widenedRange } from '../ranges/time-range.ts';
import { ColumnHeads } from '../records/column-heads.tsx';
import type { Column } from '../records/columns.ts';
import { entryId, type LogEntry } from '../records/log-entry.ts';
import { RecordList } from '../records/record-list.tsx';
import { address, changeParameters } from '../routing/location.ts';
import type { SearchParameters } from './search-parameters.ts';
import type { Search } from './use-search.ts';

interface SearchResultsProps {
  readonly search: SearchParameters;
  readonly rows: Search;
  readonly columns: readonly Column[];
  readonly onColumn: (property: string) => void;
  readonly onRetry: () => void;
}

/** Then more rows are loaded. */
const NEAR_END_PIXELS = 2400;

export function SearchResults({ search, rows, columns, onColumn, onRetry }: SearchResultsProps) {
  if (rows.problem !== undefined && rows.entries.length === 0) {
    return <ErrorState problem={queryProblem(rows.problem)} onRetry={onRetry} />;
  }
  if (rows.entries.length === 0) {
    return rows.isLoading ? <LoadingState label="Searching" /> : <NothingFound search={search} rows={rows} />;
  }
  const opened = openedIndex(rows.entries, address.value.parameters.open);
  return (
    <div class="results">
      <RecordList
        label="Found records, newest first"
        entries={rows.entries}
        base={0}
        columns={columns}
        head={
          <ColumnHeads columns={columns} onChange={(cols) => changeParameters({ cols }, { replace: true })} />
        }
        opened={opened}
        onOpened={(index) => {
          const entry = index === undefined ? undefined : rows.entries[index];
          changeParameters({ open: entry === undefined ? undefined : entryId(entry) }, { replace: true });
        }}
        onColumn={onColumn}
        isComplete={rows.isComplete}
        onView={({ below }) => {
          if (below < NEAR_END_PIXELS && rows.problem === undefined) rows.loadMore();
        }}
      />
      <ListFooter rows={rows} />
    </div>
  );
}

/** Without the names of parameters and lines: the query is one line, and the place is marked under it. */
function queryProblem(problem: Problem): Problem {
  if (problem.kind !== 'invalid') return problem;
  const details = problem.details.map(({ message }) => ({
    message: message.replace(/ \(line \d+, column \d+\)$/, ''),
  }));
  return new Problem('invalid', { message: 'This query cannot be run.', code: problem.code, details });
}

function openedIndex(entries: readonly LogEntry[], open: string | undefined): number | undefined {
  const end = open?.lastIndexOf(':') ?? -1;
  if (open === undefined || end === -1) return undefined;
  const [stream, position] = [open.slice(0, end), Number(open.slice(end + 1))];
  const index = entries.findIndex((entry) => entry.position === position && entry.stream === stream);
  return index === -1 ? undefined : index;
}

function ListFooter({ rows }: { readonly rows: Search }) {
  if (rows.problem !== undefined) {
    return (
      <p class="list-footer" role="alert">
        {rows.problem.message} <Button onClick={rows.loadMore}>Load more rows</Button>
      </p>
    );
  }
  if (!rows.isFull) return null;
  return (
    <p class="list-footer">
      {rows.entries.length.toLocaleString('en-US')} rows are loaded, which is the limit. Choose a shorter time
      range or a more selective query, or export the rest.
    </p>
  );
}

function NothingFound({ search, rows }: { readonly search: SearchParameters; readonly rows: Search }) {
  return (
    <EmptyState title="No records found">
      <p>Time range: {rangeTitle(search.range)}</p>
      {rows.unknown.map(({ property, nearest, message }) => (
        <p key={property}>
          {message}
          {nearest.map((name) => (
            <Button
              key={name}
              onClick={() => changeParameters({ q: search.query.replaceAll(property, name) })}
            >
              Use {name}
            </Button>
          ))}
        </p>
      ))}
      <p class="state-actions">
        <Button onClick={() => changeParameters({ ...widenedRange(search.range, Date.now()) })}>
          Widen the time range
        </Button>
        {(search.query !== '' || search.severity !== undefined) && (
          <Button onClick={() => changeParameters({ q: undefined, sev: undefined })}>Clear the query</Button>
        )}
      </p>
      {search.query === '' && (
        <p>
          If nothing was ever sent here, start a collector:{' '}
          <code>mega-collector collector --source /var/log/syslog --watch</code>
        </p>
      )}
    </EmptyState>
  );
}
