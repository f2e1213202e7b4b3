import { useMemo, useState } from 'preact/hooks';
import { Button } from '../components/button.tsx';
import { isNarrow } from '../components/is-narrow.ts';
import { EmptyState, ErrorState, LoadingState } from '../components/states.tsx';
import { useKeys } from '../keyboard/keys.ts';
import { focusQuery, QueryBar } from '../query/query-bar.tsx';
import { columnsOf } from '../records/columns.ts';
import { RecordList } from '../records/record-list.tsx';
import { address, changeParameters } from '../routing/location.ts';
import { filterQuery } from '../search/search-parameters.ts';
import { useContext } from './use-context.ts';

interface ContextPaneProps {
  readonly stream: string;
  readonly position: number;
}

const NEAR_PIXELS = 1200;
const COLUMNS = 'time:190,severity:76,body';

/** The neighbours in the same stream, in the order in which they were written, with a search of its own. */
export function ContextPane({ stream, position }: ContextPaneProps) {
  const { q = '' } = address.value.parameters;
  const context = useContext(stream, position, filterQuery({ query: q, severity: undefined }));
  const { entries, base, atStart, atEnd } = context;
  const [opened, setOpened] = useState<number | undefined>(undefined);
  const marked = useMemo(
    () => entries.findIndex((entry) => entry.position === position),
    [entries, position],
  );
  const columns = useMemo(
    () => columnsOf(isNarrow.value ? undefined : COLUMNS, { isNarrow: true }),
    [isNarrow.value],
  );
  useKeys('Context', [{ key: '/', description: 'Search among the neighbours', run: focusQuery }]);
  return (
    <section class="context" aria-label="Context">
      <div class="context-bar">
        <QueryBar
          label="Search in this stream"
          query={q}
          fields={[]}
          placeholder="Search in this stream"
          onQuery={(next) => changeParameters({ q: next })}
        />
      </div>
      {entries.length === 0 ? (
        <NoNeighbours context={context} isFiltered={q !== ''} />
      ) : (
        <>
          <Edge isEnd={atStart} text="Start of the stream" onLoad={context.loadOlder} label="Load older" />
          <RecordList
            key={`${stream} ${position} ${q}`}
            label="Neighbours in the same stream, oldest first"
            entries={entries}
            base={base}
            columns={columns}
            opened={opened}
            onOpened={setOpened}
            isComplete={atStart && atEnd}
            marked={marked === -1 ? undefined : base + marked}
            onView={({ above, below }) => {
              if (above < NEAR_PIXELS && !atStart) context.loadOlder();
              else if (below < NEAR_PIXELS && !atEnd) context.loadNewer();
            }}
          />
          <Edge
            isEnd={false}
            text=""
            onLoad={context.loadNewer}
            label={atEnd ? 'Look for newer records' : 'Load newer'}
          />
          {context.problem !== undefined && (
            <p class="list-footer" role="alert">
              {context.problem.message}
            </p>
          )}
        </>
      )}
    </section>
  );
}

function NoNeighbours({
  context,
  isFiltered,
}: {
  readonly context: ReturnType<typeof useContext>;
  readonly isFiltered: boolean;
}) {
  if (context.problem !== undefined)
    return <ErrorState problem={context.problem} onRetry={context.loadNewer} />;
  if (context.isLoading) return <LoadingState label="Loading the neighbours" />;
  return (
    <EmptyState
      title={isFiltered ? 'No record of this stream matches' : 'The store has no record of this stream here'}
    >
      {isFiltered && <Button onClick={() => changeParameters({ q: undefined })}>Clear the search</Button>}
    </EmptyState>
  );
}

interface EdgeProps {
  readonly isEnd: boolean;
  readonly text: string;
  readonly label: string;
  readonly onLoad: () => void;
}

function Edge({ isEnd, text, label, onLoad }: EdgeProps) {
  return (
    <div class="context-edge">
      {isEnd ? (
        <span class="muted">{text}</span>
      ) : (
        <Button kind="quiet" onClick={onLoad}>
          {label}
        </Button>
      )}
    </div>
  );
}
