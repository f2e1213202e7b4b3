import { useEffect, useRef } from 'preact/hooks';
import { PAGES } from '../pages/page-list.ts';
import { formatAddress } from '../routing/address.ts';
import { address } from '../routing/location.ts';

/** Parameters that have the same meaning on every page, so links between pages keep them. */
const SHARED = ['utc'];
/** The log pages also share the query. */
const LOG_PAGES = ['search', 'tail'];

export function Navigation() {
  const { path, parameters } = address.value;
  const present = path[0] ?? PAGES[0]?.name;
  const nav = useRef<HTMLElement>(null);
  // On a narrow screen the row of links scrolls.
  useEffect(() => {
    nav.current?.querySelector('[aria-current]')?.scrollIntoView({ block: 'nearest', inline: 'nearest' });
  }, [present]);
  return (
    <nav class="nav" aria-label="Pages" ref={nav}>
      {PAGES.filter(({ isInNavigation }) => isInNavigation).map(({ name, title }) => (
        <a
          key={name}
          href={hrefTo(name, present, parameters)}
          aria-current={name === present ? 'page' : undefined}
        >
          {title}
        </a>
      ))}
    </nav>
  );
}

function hrefTo(
  name: string,
  present: string | undefined,
  parameters: Readonly<Record<string, string>>,
): string {
  const isBetweenLogPages = LOG_PAGES.includes(name) && LOG_PAGES.includes(present ?? '');
  const kept = isBetweenLogPages ? [...SHARED, 'q', 'sev', 'cols'] : SHARED;
  const entries = Object.entries(parameters).filter(([key]) => kept.includes(key));
  return formatAddress({ path: [name], parameters: Object.fromEntries(entries) });
}
