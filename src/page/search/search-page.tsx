import { useEffect, useMemo, useState } from 'preact/hooks';
import { request } from '../api/client.ts';
import { useResource } from '../api/use-resource.ts';
import { Button } from '../components/button.tsx';
import { copyText } from '../components/copy-text.ts';
import { isNarrow } from '../components/is-narrow.ts';
import { announce } from '../components/toast.tsx';
import { useKeys } from '../keyboard/keys.ts';
import { focusQuery, QueryBar } from '../query/query-bar.tsx';
import { RangeButton } from '../ranges/range-button.tsx';
import { absoluteRange, shiftedRange, type TimeRange, withAbsoluteTimes } from '../ranges/time-range.ts';
import { columnsOf, formatColumns, toggleColumn, withoutEmptyColumns } from '../records/columns.ts';
import { absoluteUrl } from '../records/record-actions.ts';
import { formatAddress } from '../routing/address.ts';
import { address, changeParameters, navigate } from '../routing/location.ts';
import { wholeNumber } from '../text/numbers.ts';
import { ColumnsDialog } from './columns-dialog.tsx';
import { ExportDialog } from './export-dialog.tsx';
import { Facets } from './facets.tsx';
import { Histogram, type HistogramAnswer } from './histogram.tsx';
import { loadFields } from './load-fields.ts';
import { searchParametersOf, searchQuery } from './search-parameters.ts';
import { SearchResults } from './search-results.tsx';
import { SeveritySelect } from './severity-select.tsx';
import { useSearch } from './use-search.ts';
import './search.css';

const BARS = 120;
/** Usual columns without a value in these rows are left out. */
const CHECKED_ROWS = 100;

/** Search: query, counts over time, fields, rows. Everything that it shows is in the address. */
export function SearchPage() {
  const { parameters } = address.value;
  const search = searchParametersOf(parameters);
  const [refreshes, setRefreshes] = useState(0);
  const [dialog, setDialog] = useState<'columns' | 'export' | undefined>(undefined);
  const [areFacetsOpen, setFacetsOpen] = useState(!isNarrow.peek());
  const query = searchQuery(search);
  const key = JSON.stringify([query, refreshes]);
  const rows = useSearch(query, key);
  const histogram = useResource(
    (signal) => request<HistogramAnswer>('logs/histogram', { query: { ...query, by: 'severity' }, signal }),
    [key],
  );
  const fields = useResource((signal) => loadFields(query, signal), [key]);
  const columns = useMemo(() => {
    const chosen = columnsOf(parameters.cols, { isNarrow: isNarrow.value });
    return parameters.cols === undefined
      ? withoutEmptyColumns(chosen, rows.entries.slice(0, CHECKED_ROWS))
      : chosen;
  }, [parameters.cols, isNarrow.value, rows.entries[0]]);

  const total = histogram.isLoading ? undefined : histogram.data?.total;
  useEffect(() => {
    if (total !== undefined) announce(`${wholeNumber(total)} records found`);
  }, [total, key]);

  const setRange = ({ from, to }: TimeRange) => changeParameters({ from, to, open: undefined });
  const toggle = (property: string) =>
    changeParameters({ cols: formatColumns(toggleColumn(columns, property)) }, { replace: true });
  const refresh = () => setRefreshes((count) => count + 1);
  const copyLink = () => {
    const fixed = withAbsoluteTimes(address.peek().parameters, Date.now());
    void copyText(
      absoluteUrl(formatAddress({ path: ['search'], parameters: fixed })),
      'Link with fixed times',
    );
  };
  const live = () => {
    const { from: _from, to: _to, open: _open, ...kept } = address.peek().parameters;
    navigate({ path: ['tail'], parameters: kept });
  };
  useKeys('Search', [
    { key: '/', description: 'Move to the query', run: focusQuery },
    { key: 'r', description: 'Search again', run: refresh },
    { key: 't', description: 'Live tail with this query', run: live },
    {
      key: '[',
      description: 'Earlier time range',
      run: () => setRange(shiftedRange(search.range, -1, Date.now())),
    },
    {
      key: ']',
      description: 'Later time range',
      run: () => setRange(shiftedRange(search.range, 1, Date.now())),
    },
    { key: 'y', description: 'Copy a link with fixed times', run: copyLink },
  ]);
  return (
    <div class="search">
      <h1 class="visually-hidden">Search</h1>
      <div class="search-bar" role="search">
        <QueryBar
          label="Query"
          query={search.query}
          fields={fields.data?.fields ?? []}
          placeholder='Text, or an expression: status_code >= 500 and url.path starts_with "/api"'
          onQuery={(q) => (q === search.query ? refresh() : changeParameters({ q, open: undefined }))}
        />
        <SeveritySelect
          severity={search.severity}
          onSeverity={(sev) => changeParameters({ sev, open: undefined })}
        />
        <RangeButton range={search.range} onRange={setRange} />
        <Button
          kind="primary"
          icon="refresh"
          label="Search again"
          shortcut="r"
          class="tall"
          onClick={refresh}
        />
      </div>
      {histogram.data !== undefined && histogram.data.bars.length > 0 && (
        <Histogram histogram={shortened(histogram.data)} onSpan={(span) => setRange(absoluteRange(span))} />
      )}
      <div class="search-tools">
        <Button
          kind="quiet"
          icon="filter"
          isExpanded={areFacetsOpen}
          onClick={() => setFacetsOpen(!areFacetsOpen)}
        >
          Fields
        </Button>
        <p class="search-count">
          {total !== undefined && (
            <>
              <b>{wholeNumber(total)}</b> {total === 1 ? 'record' : 'records'}
            </>
          )}
          {rows.isLoading && <span class="muted"> Searching ...</span>}
        </p>
        <Button kind="quiet" icon="play" label="Live tail with this query" shortcut="t" onClick={live}>
          Live
        </Button>
        <Button kind="quiet" icon="columns" onClick={() => setDialog('columns')}>
          Columns
        </Button>
        <Button kind="quiet" icon="save" onClick={() => setDialog('export')}>
          Export
        </Button>
        <Button kind="quiet" icon="link" label="Copy a link with fixed times" shortcut="y" onClick={copyLink}>
          Link
        </Button>
      </div>
      <div class="search-content">
        {areFacetsOpen && (
          <Facets resource={fields} columns={columns.map(({ property }) => property)} onColumn={toggle} />
        )}
        <SearchResults search={search} rows={rows} columns={columns} onColumn={toggle} onRetry={refresh} />
      </div>
      {dialog === 'columns' && (
        <ColumnsDialog
          columns={columns}
          fields={(fields.data?.fields ?? []).map(({ name }) => name)}
          onColumns={(next) => changeParameters({ cols: formatColumns(next) }, { replace: true })}
          onReset={() => changeParameters({ cols: undefined }, { replace: true })}
          onClose={() => setDialog(undefined)}
        />
      )}
      {dialog === 'export' && (
        <ExportDialog query={query} total={total} onClose={() => setDialog(undefined)} />
      )}
    </div>
  );
}

/** Trailing and leading bars stay; only absurd numbers are cut, which an explicit interval could cause. */
function shortened(histogram: HistogramAnswer): HistogramAnswer {
  return histogram.bars.length <= BARS * 10
    ? histogram
    : { ...histogram, bars: histogram.bars.slice(-BARS * 10) };
}
