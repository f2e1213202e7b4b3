import { useEffect, useMemo, useRef, useState } from 'preact/hooks';
import { useResource } from '../api/use-resource.ts';
import { Button } from '../components/button.tsx';
import { isNarrow } from '../components/is-narrow.ts';
import { EmptyState } from '../components/states.tsx';
import { announce } from '../components/toast.tsx';
import { useKeys } from '../keyboard/keys.ts';
import { focusQuery, QueryBar } from '../query/query-bar.tsx';
import { ColumnHeads } from '../records/column-heads.tsx';
import { columnsOf, formatColumns, toggleColumn } from '../records/columns.ts';
import { RecordList } from '../records/record-list.tsx';
import { address, changeParameters } from '../routing/location.ts';
import { loadFields } from '../search/load-fields.ts';
import { filterQuery, searchParametersOf } from '../search/search-parameters.ts';
import { SeveritySelect } from '../search/severity-select.tsx';
import { wholeNumber } from '../text/numbers.ts';
import { openTail } from './open-tail.ts';
import { TailFeed } from './tail-feed.ts';
import { TailStatus } from './tail-status.tsx';
import { newCount, type PauseReason, type TailView } from './tail-view.ts';
import './tail.css';

/** Live tail. It pauses when one reads: scrolls, selects text, opens a record or moves through the rows. */
export function TailPage() {
  const { parameters } = address.value;
  const { query, severity } = searchParametersOf(parameters);
  const filter = filterQuery({ query, severity });
  const { feed, view, pause, resume } = useTail(JSON.stringify(filter));
  const [opened, setOpened] = useState<number | undefined>(undefined);
  const fields = useResource((signal) => loadFields({ from: '1h' }, signal), []);
  const columns = useMemo(
    () => columnsOf(parameters.cols, { isNarrow: isNarrow.value }),
    [parameters.cols, isNarrow.value],
  );
  usePauseOnSelection(() => pause('selection'));
  const toggle = () => (view.pause === undefined ? pause('button') : resume());
  useKeys('Live tail', [
    { key: '/', description: 'Move to the query', run: focusQuery },
    { key: 't', description: 'Pause or continue', run: toggle },
  ]);
  const clear = () => {
    feed?.clear();
    setOpened(undefined);
    resume();
  };
  return (
    <div class="search">
      <h1 class="visually-hidden">Live tail</h1>
      <div class="search-bar" role="search">
        <QueryBar
          label="Filter"
          query={query}
          fields={fields.data?.fields ?? []}
          placeholder="Show only new records with this text, or of this expression"
          onQuery={(q) => changeParameters({ q })}
        />
        <SeveritySelect severity={severity} onSeverity={(sev) => changeParameters({ sev })} />
      </div>
      {feed !== undefined && <TailStatus feed={feed} view={view} onToggle={toggle} onClear={clear} />}
      {view.entries.length === 0 ? (
        <Waiting feed={feed} />
      ) : (
        <div class="results tail-list">
          <RecordList
            label="New records, the newest last"
            entries={view.entries}
            base={view.base}
            columns={columns}
            head={
              <ColumnHeads
                columns={columns}
                onChange={(cols) => changeParameters({ cols }, { replace: true })}
              />
            }
            opened={opened}
            onOpened={(index) => {
              setOpened(index);
              if (index !== undefined) pause('record');
            }}
            onActive={() => pause('record')}
            onColumn={(property) =>
              changeParameters({ cols: formatColumns(toggleColumn(columns, property)) }, { replace: true })
            }
            isFollowing={view.pause === undefined}
            onView={({ below, isUpward }) => {
              if (view.pause === undefined && isUpward && below > AT_END_PIXELS) pause('scroll');
              else if (view.pause === 'scroll' && below <= 1) resume();
            }}
          />
          {feed !== undefined && view.pause !== undefined && newCount(view, feed) > 0 && (
            <Button kind="primary" class="new-records" icon="down" onClick={resume}>
              +{wholeNumber(newCount(view, feed))} new
            </Button>
          )}
        </div>
      )}
    </div>
  );
}

/** Less than a row. */
const AT_END_PIXELS = 20;
const NOTHING: TailView = { entries: [], base: 0, pause: undefined };

function useTail(filterKey: string) {
  const [feed, setFeed] = useState<TailFeed | undefined>(undefined);
  const [view, setView] = useState<TailView>(NOTHING);
  const [, setTicks] = useState(0);
  const present = useRef<TailFeed | undefined>(undefined);
  useEffect(() => {
    let frame = 0;
    const show = () => {
      frame = 0;
      setView((before) => (before.pause === undefined ? viewOf(opened) : before));
      setTicks((count) => count + 1);
    };
    const opened = new TailFeed({
      open: (lastId, signal) => openTail(JSON.parse(filterKey), lastId, signal),
      // Many records in one answer are drawn once.
      onChange: () => {
        if (frame === 0) frame = requestAnimationFrame(show);
      },
    });
    present.current = opened;
    setFeed(opened);
    setView(NOTHING);
    void opened.run();
    // The rate falls while nothing comes.
    const timer = setInterval(() => setTicks((count) => count + 1), 1000);
    return () => {
      clearInterval(timer);
      cancelAnimationFrame(frame);
      opened.close();
    };
  }, [filterKey]);
  return {
    feed,
    view,
    pause: (reason: PauseReason) => {
      setView((before) => (before.pause === undefined ? { ...before, pause: reason } : before));
      if (view.pause === undefined) announce('Paused. New records are counted.');
    },
    resume: () => {
      if (present.current !== undefined) setView(viewOf(present.current));
      announce('Live');
    },
  };
}

function viewOf(feed: TailFeed): TailView {
  return { entries: feed.entries, base: feed.base, pause: undefined };
}

function usePauseOnSelection(onSelection: () => void): void {
  const latest = useRef(onSelection);
  latest.current = onSelection;
  useEffect(() => {
    const check = () => {
      const selection = document.getSelection();
      const node = selection?.anchorNode ?? null;
      const element = node instanceof Element ? node : node?.parentElement;
      if (selection?.isCollapsed === false && element?.closest('.tail-list') != null) latest.current();
    };
    document.addEventListener('selectionchange', check);
    return () => document.removeEventListener('selectionchange', check);
  }, []);
}

function Waiting({ feed }: { readonly feed: TailFeed | undefined }) {
  if (feed?.problem !== undefined) {
    return (
      <EmptyState title={feed.problem.message}>
        {feed.problem.details.map(({ message }) => (
          <p key={message}>{message}</p>
        ))}
        <p>{feed.problem.advice}</p>
      </EmptyState>
    );
  }
  return (
    <EmptyState title="Waiting for new records">
      Records appear here when they are stored. The search shows the ones before.
    </EmptyState>
  );
}
