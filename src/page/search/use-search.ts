import { useEffect, useRef, useState } from 'preact/hooks';
import { connections, type Query, request } from '../api/client.ts';
import type { Problem } from '../api/problem.ts';
import { asProblem, isAbort } from '../api/problem.ts';
import { entryBytes, type LogEntry } from '../records/log-entry.ts';

interface SearchPageAnswer {
  readonly entries: readonly LogEntry[];
  readonly next: string | null;
  readonly unknown?: readonly UnknownProperty[];
}

export interface UnknownProperty {
  readonly property: string;
  readonly nearest: readonly string[];
  readonly message: string;
}

export interface Search {
  readonly entries: readonly LogEntry[];
  readonly isLoading: boolean;
  readonly problem: Problem | undefined;
  readonly unknown: readonly UnknownProperty[];
  readonly isComplete: boolean;
  /** Nothing more is loaded: the memory for rows is full. */
  readonly isFull: boolean;
  readonly loadMore: () => void;
}

type State = Omit<Search, 'loadMore'> & {
  readonly next: string | null;
  readonly bytes: number;
  /** Of the search to which the rows belong. */
  readonly key: string;
};

const FIRST_ROWS = 100;
const MORE_ROWS = 500;
const MAX_ROWS = 200_000;
const MAX_BYTES = 96 * 1024 * 1024;

const EMPTY: State = {
  entries: [],
  isLoading: true,
  problem: undefined,
  unknown: [],
  isComplete: false,
  isFull: false,
  next: null,
  bytes: 0,
  key: '',
};

/** The rows of a search, page by page. Rows of the previous search stay until the first ones of the new are there. */
export function useSearch(query: Query, key: string): Search {
  const [state, setState] = useState<State>(EMPTY);
  const abort = useRef<AbortController>(new AbortController());
  const isBusy = useRef(false);

  const load = async (cursor: string | null, before: State) => {
    const { signal } = abort.current;
    isBusy.current = true;
    try {
      const page = await request<SearchPageAnswer>('logs', {
        query: { ...query, limit: cursor === null ? FIRST_ROWS : MORE_ROWS, cursor: cursor ?? undefined },
        signal,
      });
      if (!signal.aborted) setState(withPage(before, page));
    } catch (error) {
      if (signal.aborted || isAbort(error)) return;
      setState({ ...before, isLoading: false, problem: asProblem(error) });
    } finally {
      if (!signal.aborted) isBusy.current = false;
    }
  };
  useEffect(() => {
    abort.current = new AbortController();
    setState((before) => ({ ...before, isLoading: true }));
    void load(null, { ...EMPTY, key });
    return () => abort.current.abort();
  }, [key, connections.value]);

  const loadMore = () => {
    if (isBusy.current || state.next === null || state.isFull || state.key !== key) return;
    setState((before) => ({ ...before, isLoading: true }));
    void load(state.next, state);
  };
  return { ...state, loadMore };
}

function withPage(before: State, { entries, next, unknown = [] }: SearchPageAnswer): State {
  const all = [...before.entries, ...entries];
  const bytes = before.bytes + entries.reduce((sum, entry) => sum + entryBytes(entry), 0);
  return {
    entries: all,
    isLoading: false,
    problem: undefined,
    unknown: before.entries.length === 0 ? unknown : before.unknown,
    isComplete: next === null,
    isFull: next !== null && (all.length >= MAX_ROWS || bytes >= MAX_BYTES),
    next,
    bytes,
    key: before.key,
  };
}
