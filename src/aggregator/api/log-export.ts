import type { SearchPage } from '../../logstore/logs/log-requests.ts';
import type { LogSearch } from '../../logstore/logs/log-search.ts';
import { timeSpan } from '../../logstore/logs/time-span.ts';
import { rfc3339Micro } from '../../logstore/sql/rfc3339-micro.ts';
import type { Clock } from '../../runtime/clock.ts';
import type { HttpAnswer, HttpRequest, HttpSink } from '../../runtime/http/http-contract.ts';
import { HttpError } from '../../runtime/http/http-error.ts';
import type { Admission } from './admission.ts';
import { apiError, busy } from './api-error.ts';
import type { ApiEvents } from './events.ts';
import {
  DEFAULT_EXPORTED,
  EXPORT_FORMATS,
  type ExportFormat,
  type ExportProblem,
  type ExportRequest,
} from './export-format.ts';

const MAX_EXPORTS = 4;
/** Records of one query. A page of large records ends earlier. */
const PAGE_RECORDS = 5000;
const MAX_WAITING_BYTES = 256 * 1024;
/** While other queries occupy the store. */
const MAX_RETRIES = 10;
const RETRY_MS = 1000;

interface LogExportOptions {
  readonly clock: Clock;
  readonly events: Pick<ApiEvents, 'failed'>;
  readonly admission: Admission;
}

/**
 * Downloads of records, newest first. Each page is a query of its own, with a place in the admission: an export
 * never occupies the store while its client reads. At most one page is in memory.
 *
 * An export that is broken off ends with a marker, because its status has been sent already.
 */
export class LogExport {
  readonly #options: LogExportOptions;
  #exports = 0;

  constructor(options: LogExportOptions) {
    this.#options = options;
  }

  /** Called with a place in the admission. Rejects with HttpError, or with the error of the search. */
  async open(search: LogSearch, request: ExportRequest, call: HttpRequest): Promise<HttpAnswer> {
    this.#enter(call.signal);
    const { format, limit, ...filter } = request;
    const pages = new ExportPages(search, this.#absolute(filter), limit ?? DEFAULT_EXPORTED);
    const first = await pages.read(undefined);
    const writer = new ExportWriter(this.#options, pages, {
      format: EXPORT_FORMATS[format],
      isLimited: limit !== undefined,
    });
    return {
      contentType: EXPORT_FORMATS[format].contentType,
      headers: { 'content-disposition': `attachment; filename="${this.#fileName(EXPORT_FORMATS[format])}"` },
      body: (sink, signal) => writer.write(first, sink, signal),
    };
  }

  /** The place is free again when the exchange has ended. */
  #enter(signal: AbortSignal): void {
    if (this.#exports >= MAX_EXPORTS) {
      throw busy(`At most ${MAX_EXPORTS} exports can run at a time. Try again later.`);
    }
    if (signal.aborted) throw busy('The client has disconnected.');
    this.#exports++;
    signal.addEventListener('abort', () => this.#exports--, { once: true });
  }

  /** A duration ago would move with each page. */
  #absolute(filter: ExportFilter): ExportFilter {
    const { fromUnixMicro, toUnixMicro } = timeSpan(filter, this.#nowUnixMicro);
    return {
      ...filter,
      ...(fromUnixMicro !== undefined && { from: rfc3339Micro(fromUnixMicro) }),
      ...(toUnixMicro !== undefined && { to: rfc3339Micro(toUnixMicro) }),
    };
  }

  #fileName({ extension }: ExportFormat): string {
    const time = rfc3339Micro(this.#nowUnixMicro).slice(0, 19).replaceAll(/[-:]/g, '');
    return `logs-${time}Z.${extension}`;
  }

  get #nowUnixMicro(): number {
    return Number(this.#options.clock.nowUnixNano() / 1000n);
  }
}

type ExportFilter = Omit<ExportRequest, 'format' | 'limit'>;

/** The pages of one export. */
class ExportPages {
  readonly #search: LogSearch;
  readonly #filter: ExportFilter;
  #left: number;

  constructor(search: LogSearch, filter: ExportFilter, limit: number) {
    this.#search = search;
    this.#filter = filter;
    this.#left = limit;
  }

  /** No more records are wanted. */
  get isAtLimit(): boolean {
    return this.#left <= 0;
  }

  async read(cursor: string | undefined): Promise<SearchPage> {
    const limit = Math.min(PAGE_RECORDS, this.#left);
    const page = await this.#search.search({ ...this.#filter, limit, cursor });
    this.#left -= page.entries.length;
    return page;
  }
}

class ExportWriter {
  readonly #options: LogExportOptions;
  readonly #pages: ExportPages;
  readonly #format: ExportFormat;
  /** The client has given the limit: it expects it. */
  readonly #isLimited: boolean;

  constructor(
    options: LogExportOptions,
    pages: ExportPages,
    { format, isLimited }: { readonly format: ExportFormat; readonly isLimited: boolean },
  ) {
    this.#options = options;
    this.#pages = pages;
    this.#format = format;
    this.#isLimited = isLimited;
  }

  /** Never rejects: a problem becomes a marker. */
  async write(first: SearchPage, sink: HttpSink, signal: AbortSignal): Promise<void> {
    sink.write(this.#format.head);
    try {
      const problem = await this.#writePages(first, sink, signal);
      if (problem !== undefined) sink.write(this.#format.marker(problem));
    } catch (error) {
      sink.write(this.#format.marker(this.#problemOf(error)));
    }
  }

  /** Resolves with the reason why the export is not whole. */
  async #writePages(
    first: SearchPage,
    sink: HttpSink,
    signal: AbortSignal,
  ): Promise<ExportProblem | undefined> {
    let page = first;
    for (;;) {
      for (const entry of page.entries) {
        if (signal.aborted) return STOPPED;
        sink.write(this.#format.entry(entry));
        if (sink.waitingBytes > MAX_WAITING_BYTES) await sink.drained();
      }
      const { next } = page;
      if (next === null) return undefined;
      if (this.#pages.isAtLimit) return this.#isLimited ? undefined : LIMIT;
      page = await this.#readPage(next, signal);
    }
  }

  async #readPage(cursor: string, signal: AbortSignal): Promise<SearchPage> {
    const { admission, clock } = this.#options;
    for (let retry = 1; ; retry++) {
      try {
        return await admission.run(signal, () => this.#pages.read(cursor));
      } catch (error) {
        if (apiError(error)?.code !== 'busy' || retry > MAX_RETRIES || signal.aborted) throw error;
        await clock.sleep(RETRY_MS, signal);
      }
    }
  }

  #problemOf(error: unknown): ExportProblem {
    const known = apiError(error);
    if (known instanceof HttpError)
      return { code: known.code, message: `The export is broken off: ${known.message}` };
    this.#options.events.failed({ operation: 'exportLogs', err: error });
    return { code: 'internal', message: 'The export is broken off: see the log of the aggregator.' };
  }
}

const STOPPED: ExportProblem = {
  code: 'stopped',
  message: 'The export is broken off: the aggregator stops.',
};
const LIMIT: ExportProblem = {
  code: 'limit',
  message: `The export ends at its limit of ${DEFAULT_EXPORTED} records, and more records match. Set limit, or a shorter time.`,
};
