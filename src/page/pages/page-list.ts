import type { ComponentType } from 'preact';
import type { PageProps } from './page-props.ts';

export interface PageEntry {
  /** The first part of the address. */
  readonly name: string;
  readonly title: string;
  /** Pages without it are reached by links only. */
  readonly isInNavigation: boolean;
  /** Loads the code of the page. */
  readonly load: () => Promise<ComponentType<PageProps>>;
}

/** In the order of the navigation; the first one is shown for an address without a page. */
export const PAGES: readonly PageEntry[] = [
  {
    name: 'search',
    title: 'Search',
    isInNavigation: true,
    load: async () => (await import('../search/search-page.tsx')).SearchPage,
  },
  {
    name: 'r',
    title: 'Record',
    isInNavigation: false,
    load: async () => (await import('../record/record-page.tsx')).RecordPage,
  },
  {
    name: 'tail',
    title: 'Live tail',
    isInNavigation: true,
    load: async () => (await import('../tail/tail-page.tsx')).TailPage,
  },
  {
    name: 'metrics',
    title: 'Metrics',
    isInNavigation: true,
    load: async () => (await import('../metrics/metrics-page.tsx')).MetricsPage,
  },
  {
    name: 'alerts',
    title: 'Alerts',
    isInNavigation: true,
    load: async () => (await import('../alerts/alerts-page.tsx')).AlertsPage,
  },
  {
    name: 'groups',
    title: 'Groups',
    isInNavigation: true,
    load: async () => (await import('../groups/groups-page.tsx')).GroupsPage,
  },
  {
    name: 'filters',
    title: 'Filters',
    isInNavigation: true,
    load: async () => (await import('../filters/filters-page.tsx')).FiltersPage,
  },
  {
    name: 'status',
    title: 'Status',
    isInNavigation: true,
    load: async () => (await import('../status/status-page.tsx')).StatusPage,
  },
];
