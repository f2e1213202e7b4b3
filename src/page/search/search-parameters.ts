import type { Query } from '../api/client.ts';
import { filterOf } from '../query/query-filter.ts';
import { rangeOf, type TimeRange } from '../ranges/time-range.ts';
import { SEVERITIES, type Severity } from '../records/severity.ts';

export interface SearchParameters {
  readonly query: string;
  readonly severity: Severity | undefined;
  readonly range: TimeRange;
}

export function searchParametersOf(parameters: Readonly<Record<string, string>>): SearchParameters {
  return {
    query: parameters.q ?? '',
    severity: SEVERITIES.find((each) => each === parameters.sev),
    range: rangeOf(parameters),
  };
}

/** The conditions as the API takes them, without the range. */
export function filterQuery({ query, severity }: Pick<SearchParameters, 'query' | 'severity'>): Query {
  const { text, where } = filterOf(query);
  return { text, where: where === undefined ? undefined : [where], severity };
}

export function searchQuery(parameters: SearchParameters): Query {
  const { from, to } = parameters.range;
  return { ...filterQuery(parameters), from, to };
}
