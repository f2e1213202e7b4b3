import type {
  AggregatorStatus,
  CollectorReport,
  DeadLetter,
  FilterTrial,
} from '../../../src/page/api/status.ts';

const amount = (records: number) => ({ records, bytes: records * 130 });
const SINCE = '2026-11-28T08:00:00.000Z';

const LETTERS: readonly DeadLetter[] = [1, 2, 3].map((at) => ({
  ...{ id: `gelf/s/${at}`, emitter: 'gelf', stream: 's', position: at, ...amount(at * 10) },
  ...{ reason: 'tcp://graylog:12201: connection refused', replaying: false },
  rejectedTimeUnixNano: '1795884145291000000',
}));

/** Status, collectors, filters and dead letters of the mock. */
export class MockOperations {
  #letters = LETTERS;

  /** The dead letters of the start again. */
  fill(): void {
    this.#letters = LETTERS;
  }

  get letters(): readonly DeadLetter[] {
    return this.#letters;
  }

  /** undefined: it is another operation. */
  answer(method: string, path: string, body: string): object | undefined {
    if (path === 'status') return this.#status();
    if (path === 'collectors') return { collectors: COLLECTORS };
    if (path === 'collectors/a/explain') return EXPLANATION;
    if (path === 'filters') return { filters: FILTERS };
    if (path === 'filters/errors') return { errors: FILTER_ERRORS };
    if (path === 'filters/try') return tried((JSON.parse(body) as { readonly text: string }).text);
    if (path.startsWith('dead-letters')) return this.#deadLetters(method, path, body);
    return undefined;
  }

  #deadLetters(method: string, path: string, body: string): object {
    if (method === 'GET' && path === 'dead-letters') return { deadLetters: this.#letters };
    if (method === 'GET') {
      const data = Buffer.from('{"msg": "first"}\n{"msg": "<b>second</b>"}\n').toString('base64');
      return { letter: this.#letters[0], format: 'json', resource: { 'host.name': 'web-1' }, data };
    }
    const { ids } = JSON.parse(body) as { readonly ids: readonly string[] };
    const others = this.#letters.filter(({ id }) => !ids.includes(id));
    const replayed = this.#letters.map((each) =>
      ids.includes(each.id) ? { ...each, replaying: true } : each,
    );
    this.#letters = path.endsWith('discard') ? others : replayed;
    return { count: ids.length };
  }

  #status(): AggregatorStatus {
    const deadLettered = amount(this.#letters.reduce((sum, { records }) => sum + records, 0));
    const none = amount(0);
    return {
      accepted: amount(1_234_567),
      emitters: [
        {
          ...{ emitter: 'duckdb', delivered: amount(1_234_000), queued: amount(567), deadLettered: none },
          ...{ discarded: none, filtered: amount(12), state: 'running', lagSeconds: 0.4 },
          ...{ recordsPerSecond: 812.5, catchUpSeconds: 1 },
        },
        {
          ...{ emitter: 'gelf', delivered: amount(900_000), queued: amount(334_000), deadLettered },
          ...{ discarded: none, filtered: none, state: 'retrying', lagSeconds: 640, recordsPerSecond: 0 },
          problem: 'tcp://graylog:12201: connection refused',
        },
      ],
      diskBytes: 52_428_800,
      intake: { recordsPerSecond: 812.5, bytesPerSecond: 105_000, collectors: 2, streams: 41 },
      disk: {
        ...{ path: '/var/lib/mega-collector/aggregator', usedBytes: 52_428_800, freeBytes: 8e10 },
        limitBytes: 10_737_418_240,
      },
      health: { status: 'degraded', problems: ['The emitter gelf cannot deliver: connection refused'] },
      pagerduty: {
        ...{ configured: true, lastError: null },
        openIncidents: [{ key: 'gelf/delivery', summary: 'gelf: connection refused', since: SINCE }],
      },
    };
  }
}

const COLLECTORS: readonly CollectorReport[] = [
  {
    ...{ id: 'a', host: 'web-1', version: '0.1.0', address: '10.0.0.1:44321', connected: true, since: SINCE },
    ...{ lastSeen: new Date().toISOString(), reports: true, streams: 39, lagBytes: 4096, queuedBytes: 1024 },
    ...{ lostBytes: 0, acceptedBytes: 152_000_000, problems: [] },
    listeners: [
      {
        ...{ name: 'udp://0.0.0.0:514', address: '0.0.0.0:514', protocol: 'udp', clients: 12 },
        ...{ records: 99_000, bytes: 12_000_000, dropped: 0, kernelDropped: 17 },
      },
    ],
  },
  {
    ...{ id: 'b', host: 'db-1', version: '0.0.9', address: '10.0.0.2:44322', connected: false, since: SINCE },
    ...{ lastSeen: SINCE, reports: false, streams: 0, lagBytes: 0, queuedBytes: 0, acceptedBytes: 10_000 },
    ...{ listeners: [], problems: ['/var/log/app.log cannot be read: permission denied'] },
  },
];

const EXPLANATION = {
  ...{ kind: 'followed', path: '/var/log/<b>app</b>.log', device: '66307', inode: '1234' },
  prefix: { length: 256, hash: '4f0c2a' },
  status: {
    stream: '01JD',
    state: 'open',
    sizeBytes: 4096,
    position: 2048,
    acceptedBytes: 1024,
    waitingBytes: 3072,
  },
};

const FILTERS = [
  { emitter: 'duckdb', filter: 'web', state: 'active', problems: [], errors: 3 },
  { emitter: 'file', filter: null, state: 'active', problems: [], errors: 0 },
  {
    emitter: 'gelf',
    filter: 'pager',
    state: 'broken',
    problems: ['pager.filter:3:1: expected }'],
    errors: 0,
  },
];

const FILTER_ERRORS = [
  {
    ...{ emitter: 'duckdb', file: 'web.filter', line: 4, count: 3 },
    samples: [{ reason: 'not a number', value: '<i>twelve</i>' }],
  },
];

/** A filter with the word `broken` has a problem. */
function tried(text: string): FilterTrial {
  if (text.includes('broken')) {
    return { problems: [{ file: 'filter', line: 1, column: 9, reason: 'expected a value' }], records: [] };
  }
  return {
    problems: [],
    records: [
      { before: { body: 'GET /health 200' }, after: [], lines: [2, 3], routes: [] },
      {
        before: { body: 'GET /api 500', status_code: 500 },
        after: [{ body: 'GET /api 500', status_code: 500, tags: ['failed'] }],
        ...{ lines: [2, 5, 6], routes: ['gelf'] },
      },
    ],
    errors: { total: 1, samples: [{ line: 6, reason: 'not a number', value: 'x' }] },
  };
}
