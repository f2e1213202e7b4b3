import { histogramRequest, searchRequest, valuesRequest } from '../../src/logstore/logs/log-requests.ts';
import type { LogSearch } from '../../src/logstore/logs/log-search.ts';

export interface Window {
  readonly from: string;
  readonly to: string;
}

export interface Question {
  readonly name: string;
  ask(logs: LogSearch, window: Window): Promise<unknown>;
}

/** Typical queries of a store with generated rows. `requestNumber`: the number of a row in each window. */
export function questions(requestNumber: number): readonly Question[] {
  return [
    search('the newest 100', {}),
    search('the newest 100 with a text that few have', { text: `request=${requestNumber}` }),
    search('the newest 100 with a text that many have', { text: '/search/' }),
    search('the newest 100 errors', { severity: 'error' }),
    search('the newest 100 with status_code=500', { where: [{ property: 'status_code', value: '500' }] }),
    histogram('a histogram', {}),
    histogram('a histogram of errors', { severity: 'error' }),
    {
      name: 'the most frequent values of url.path',
      ask: (logs, window) => logs.values(valuesRequest.parse({ ...window, property: 'url.path' })),
    },
  ];
}

function search(name: string, filter: object): Question {
  return {
    name,
    ask: (logs, window) => logs.search(searchRequest.parse({ ...window, ...filter, limit: 100 })),
  };
}

function histogram(name: string, filter: object): Question {
  return { name, ask: (logs, window) => logs.histogram(histogramRequest.parse({ ...window, ...filter })) };
}
