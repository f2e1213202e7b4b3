import type {
  Histogram,
  HistogramRequest,
  SearchPage,
  SearchRequest,
  ValueCounts,
  ValuesRequest,
} from '../../../logstore/logs/log-requests.ts';

/** Answers queries about records: an aggregator over HTTP, or a store in this process. */
export interface LogSource {
  search(request: SearchRequest): Promise<SearchPage>;
  histogram(request: HistogramRequest): Promise<Histogram>;
  values(request: ValuesRequest): Promise<ValueCounts>;
}
