import type { TailRequest } from '../../../logstore/logs/log-requests.ts';
import type { LogSearch } from '../../../logstore/logs/log-search.ts';
import type { HttpAnswer, HttpRequest } from '../../../runtime/http/http-contract.ts';
import type { ExportRequest } from '../export-format.ts';
import type { ApiStore } from './api-store.ts';

/** The means of the operations on the store. */
export interface StoreContext {
  /** Throws HttpError when no store can be queried. */
  readonly store: () => ApiStore;
  readonly tail: {
    /** Begins a stream of new entries. Rejects with HttpError, or with the error of the search. */
    open(search: LogSearch, filter: TailRequest, request: HttpRequest): Promise<HttpAnswer>;
  };
  readonly exports: {
    /** Begins a download of entries. Rejects with HttpError, or with the error of the search. */
    open(search: LogSearch, request: ExportRequest, call: HttpRequest): Promise<HttpAnswer>;
  };
}
