import type { ComponentType } from 'preact';
import { useEffect, useRef, useState } from 'preact/hooks';
import { Problem } from '../api/problem.ts';
import { EmptyState, ErrorState, LoadingState } from '../components/states.tsx';
import { PAGES, type PageEntry } from '../pages/page-list.ts';
import type { PageProps } from '../pages/page-props.ts';
import { address } from '../routing/location.ts';

interface Loaded {
  readonly name: string;
  readonly Page: ComponentType<PageProps> | undefined;
}

/** The page of the address. Its code is loaded when it is opened for the first time. */
export function PageFrame() {
  const [name, ...path] = address.value.path;
  const entry = name === undefined ? PAGES[0] : PAGES.find((each) => each.name === name);
  const main = useRef<HTMLElement>(null);
  const { loaded, retry } = useLoaded(entry);
  useEffect(() => {
    document.title = `${entry?.title ?? 'Not found'} - mega-collector`;
  }, [entry]);
  return (
    <main id="main" class="main" ref={main} tabIndex={-1}>
      <PageContent entry={entry} loaded={loaded} path={path} onRetry={retry} />
    </main>
  );
}

function useLoaded(entry: PageEntry | undefined) {
  const [loaded, setLoaded] = useState<Loaded | undefined>(undefined);
  const [attempt, setAttempt] = useState(0);
  useEffect(() => {
    let isCurrent = true;
    if (entry === undefined) return;
    const show = (Page: ComponentType<PageProps> | undefined) => {
      if (isCurrent) setLoaded({ name: entry.name, Page });
    };
    void entry.load().then(show, () => show(undefined));
    return () => {
      isCurrent = false;
    };
  }, [entry, attempt]);
  return { loaded, retry: () => setAttempt((count) => count + 1) };
}

interface PageContentProps {
  readonly entry: PageEntry | undefined;
  readonly loaded: Loaded | undefined;
  readonly path: readonly string[];
  readonly onRetry: () => void;
}

function PageContent({ entry, loaded, path, onRetry }: PageContentProps) {
  if (entry === undefined) {
    return (
      <>
        <h1 class="visually-hidden">Not found</h1>
        <EmptyState title="There is no page with this address.">
          <a href="#/search">Open the search</a>
        </EmptyState>
      </>
    );
  }
  if (loaded === undefined || loaded.name !== entry.name) return <LoadingState />;
  if (loaded.Page === undefined) return <ErrorState problem={NOT_LOADED} onRetry={onRetry} />;
  return <loaded.Page path={path} />;
}

const NOT_LOADED = new Problem('offline', {
  message:
    'Cannot load this page: its code did not arrive. After an update of the aggregator, reload the browser page.',
});
