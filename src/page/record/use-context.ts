import { useEffect, useRef, useState } from 'preact/hooks';
import { connections, type Query, request } from '../api/client.ts';
import type { Problem } from '../api/problem.ts';
import { asProblem, isAbort } from '../api/problem.ts';
import type { LogEntry } from '../records/log-entry.ts';
import { type Neighbours, NO_NEIGHBOURS, withNewer, withOlder } from './neighbours.ts';

interface ContextAnswer {
  readonly entries: readonly LogEntry[];
  readonly atStart: boolean;
  readonly atEnd: boolean;
}

export interface RecordContext extends Neighbours {
  readonly isLoading: boolean;
  readonly problem: Problem | undefined;
  readonly loadOlder: () => void;
  readonly loadNewer: () => void;
}

interface State extends Neighbours {
  readonly isLoading: boolean;
  readonly problem: Problem | undefined;
}

const PAGE = 200;
const EMPTY: State = { ...NO_NEIGHBOURS, isLoading: true, problem: undefined };

/** The neighbours of a record in its stream, as far as one scrolls in both directions. */
export function useContext(stream: string, position: number, filter: Query): RecordContext {
  const [state, setState] = useState<State>(EMPTY);
  const abort = useRef(new AbortController());
  const isBusy = useRef(false);
  const key = JSON.stringify([stream, position, filter]);

  const load = async (direction: Direction, from: number, before: State) => {
    const { signal } = abort.current;
    isBusy.current = true;
    try {
      const query = { ...filter, stream, position: from, direction, limit: PAGE };
      const answer = await request<ContextAnswer>('logs/context', { query, signal });
      if (!signal.aborted)
        setState({ ...joined(before, answer, direction), isLoading: false, problem: undefined });
    } catch (error) {
      if (signal.aborted || isAbort(error)) return;
      setState({ ...before, isLoading: false, problem: asProblem(error) });
    } finally {
      if (!signal.aborted) isBusy.current = false;
    }
  };
  useEffect(() => {
    abort.current = new AbortController();
    setState(EMPTY);
    void load('around', position, EMPTY);
    return () => abort.current.abort();
  }, [key, connections.value]);

  const more = (direction: Direction, edge: LogEntry | undefined) => {
    if (!isBusy.current && edge !== undefined) void load(direction, edge.position, state);
  };
  return {
    ...state,
    loadOlder: () => more('before', state.entries[0]),
    loadNewer: () => more('after', state.entries.at(-1)),
  };
}

type Direction = 'before' | 'after' | 'around';

function joined(before: Neighbours, answer: ContextAnswer, direction: Direction): Neighbours {
  if (direction === 'around') return { ...answer, base: 0 };
  return direction === 'before'
    ? withOlder(before, answer.entries, answer.atStart)
    : withNewer(before, answer.entries, answer.atEnd);
}
