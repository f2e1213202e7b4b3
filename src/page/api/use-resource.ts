import { useEffect, useState } from 'preact/hooks';
import { connections } from './client.ts';
import type { Problem } from './problem.ts';
import { asProblem, isAbort } from './problem.ts';

export interface Resource<Data> {
  /** Data of the previous inputs stay until the new ones are there; `isLoading` is true meanwhile. */
  readonly data: Data | undefined;
  readonly problem: Problem | undefined;
  readonly isLoading: boolean;
  readonly reload: () => void;
}

interface State<Data> {
  readonly data: Data | undefined;
  readonly problem: Problem | undefined;
  readonly isLoading: boolean;
}

/**
 * Loads data when an input changes, and again after a new connection or a sign-in. An older request is aborted. Inputs
 * are compared as in `useEffect`. `everyMs`: loads again this long after each answer while the page is visible.
 */
export function useResource<Data>(
  load: (signal: AbortSignal) => Promise<Data>,
  inputs: readonly unknown[],
  { everyMs }: { readonly everyMs?: number } = {},
): Resource<Data> {
  const [state, setState] = useState<State<Data>>({ data: undefined, problem: undefined, isLoading: true });
  const [reloads, setReloads] = useState(0);
  const reload = () => setReloads((count) => count + 1);
  useEffect(() => {
    const abort = new AbortController();
    let timer: ReturnType<typeof setTimeout> | undefined;
    setState((before) => ({ ...before, isLoading: true }));
    const again = () => {
      if (everyMs === undefined || abort.signal.aborted) return;
      timer = setTimeout(() => (document.hidden ? again() : reload()), everyMs);
    };
    load(abort.signal)
      .then((data) => {
        if (!abort.signal.aborted) setState({ data, problem: undefined, isLoading: false });
      })
      .catch((error: unknown) => {
        if (isAbort(error) || abort.signal.aborted) return;
        setState((before) => ({ ...before, problem: asProblem(error), isLoading: false }));
      })
      .finally(again);
    return () => {
      clearTimeout(timer);
      abort.abort();
    };
  }, [...inputs, reloads, connections.value]);
  return { ...state, reload };
}
