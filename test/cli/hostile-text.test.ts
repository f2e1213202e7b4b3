import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { PassThrough } from 'node:stream';
import { describe, expect, it } from 'vitest';
import { run } from '../../src/cli/run.ts';
import { printedSlice } from '../../src/emitters/text/printed-slice.ts';
import type { Role } from '../../src/runtime/configuration/state-directory.ts';
import { HttpError } from '../../src/runtime/http/http-error.ts';
import { createLogger } from '../../src/runtime/logging/logger.ts';
import { capturedIo } from '../support/captured-io.ts';
import { answerWith, type FakeAnswers, ownedDirectory } from '../support/owner-process.ts';
import { temporaryDirectory } from '../support/temporary-directory.ts';
import { FakeAggregator, type FakeRoutes } from './monitor/fake-aggregator.ts';
import { logEntry } from './monitor/log-entry.ts';

/** Control sequences with ESC and with C1, a title, backspaces, marks of direction, line separators, line ends. */
const CONTROLS =
  '\u001b[2J\u001b]0;title\u0007\b\r\u007f\u009b31m\u0085\u200e\u061c\u202egnirts\u2069\u2028\u2029';
const HOSTILE = `MARK${CONTROLS}`;
/** Of these, only TAB and line feed may reach a terminal. */
const OBEYED = /(?![\n\t])\p{Cc}|[\u061c\u200e\u200f\u2028\u2029\u202a-\u202e\u2066-\u2069]/u;
const COLOURS = new RegExp(`${String.fromCharCode(0x1b)}\\[\\d+m`, 'g');

function expectHarmless(text: string): void {
  expect(text).toContain('MARK');
  expect(OBEYED.exec(text)?.[0], JSON.stringify(text)).toBeUndefined();
}

/** Standard output and standard error are a terminal, or pipes. */
async function printed(argv: readonly string[], isTTY: boolean, environment = {}): Promise<string> {
  const { io, stdout, stderr } = capturedIo({ environment: { HOME: '/h', NO_COLOR: '1', ...environment } });
  const terminal = isTTY ? { isTTY, columns: 80, rows: 40 } : {};
  const streams = { stdout: Object.assign(io.stdout, terminal), stderr: Object.assign(io.stderr, terminal) };
  await run(argv, { ...io, ...streams });
  return stdout() + stderr();
}

async function expectHarmlessCommand(argv: readonly string[], environment = {}): Promise<void> {
  for (const isTTY of [true, false]) expectHarmless(await printed(argv, isTTY, environment));
}

const failing = async (): Promise<never> => {
  throw new HttpError(409, 'conflict', HOSTILE);
};

/** A state directory whose name is hostile, too. */
async function owned(role: Role, answers: FakeAnswers): Promise<string> {
  return ownedDirectory(role, answers, join(await temporaryDirectory(), HOSTILE));
}

const STREAM = '0123456789abcdef0123456789abcdef';
const AMOUNT = { records: 1, bytes: 2 };
const BALANCE = { read: 4, accepted: 3, waiting: 2, unread: 1 };
const EMITTER = {
  emitter: HOSTILE,
  ...{ before: AMOUNT, delivered: AMOUNT, queued: AMOUNT, deadLettered: AMOUNT, discarded: AMOUNT },
};
const LETTER = {
  ...{ id: `${HOSTILE}/${STREAM}/4096`, emitter: HOSTILE, stream: STREAM, position: 4096, ...AMOUNT },
  ...{ reason: HOSTILE, rejectedTimeUnixNano: '1700000000123456789', replaying: true },
};
const FOLLOWED = {
  ...{ kind: 'followed', path: HOSTILE, device: HOSTILE, inode: HOSTILE },
  prefix: { length: 1, hash: HOSTILE },
  status: {
    ...{ stream: HOSTILE, home: `/${HOSTILE}`, state: HOSTILE, sizeBytes: 1, position: 1 },
    ...{ acceptedBytes: 1, waitingBytes: 0, refusal: HOSTILE },
  },
  ...{ waitsFor: HOSTILE, waitsBecause: HOSTILE, failure: HOSTILE },
};

const AGGREGATOR: FakeAnswers = {
  getStatus: answerWith({ role: 'aggregator', accepted: AMOUNT, emitters: [EMITTER], diskBytes: 1 }),
  listCollectors: answerWith({ collectors: [] }),
  listStreams: answerWith({ streams: [] }),
  listTapPoints: answerWith({ points: [{ point: HOSTILE, description: HOSTILE }], omitted: 0 }),
  listEmitters: answerWith({
    emitters: [{ name: HOSTILE, configured: true, queued: AMOUNT, deadLettered: AMOUNT }],
  }),
  skipEntry: answerWith(AMOUNT),
  forgetEmitter: answerWith({}),
  listDeadLetters: answerWith({ deadLetters: [LETTER] }),
  getDeadLetter: answerWith({
    ...{ letter: LETTER, format: HOSTILE, resource: { [HOSTILE]: HOSTILE } },
    data: Buffer.from(`${HOSTILE}\n\u0080${HOSTILE}`).toString('base64'),
  }),
};
const FAILING: FakeAnswers = Object.fromEntries(
  [...Object.keys(AGGREGATOR), 'explainFile'].map((name) => [name, failing]),
);

describe('no control character or mark of direction is printed', () => {
  it.each([
    ['status'],
    ['status', '--json'],
    ['top', '--once', '--interval=500ms'],
    ['top', '--json', '--interval=500ms'],
    ['tap'],
    ['tap', '--json'],
    ['emitters', 'list'],
    ['emitters', 'list', '--json'],
    ['emitters', 'skip', HOSTILE],
    ['emitters', 'forget', HOSTILE],
    ['emitters', 'forget', '--json', HOSTILE],
    ['dead-letters', 'list'],
    ['dead-letters', 'list', '--json'],
    ['dead-letters', 'show', 'x'],
    ['dead-letters', 'show', '--json', 'x'],
  ])('of an aggregator: %s %s %s', async (...argv) => {
    const command = argv.filter((word) => word !== undefined);
    const directory = await owned('aggregator', AGGREGATOR);
    await expectHarmlessCommand([...command, '--state-directory', directory]);
    await expectHarmlessCommand([...command, '--state-directory', await owned('aggregator', FAILING)]);
  });

  it.each([
    [
      'getStatus',
      answerWith({
        role: 'collector',
        ...BALANCE,
        streams: [{ stream: HOSTILE, source: HOSTILE, ...BALANCE }],
      }),
    ],
    ['explainFile', answerWith({ kind: 'not-read', path: HOSTILE, reason: HOSTILE })],
    ['explainFile', answerWith(FOLLOWED)],
    ['explainFile', answerWith({ kind: HOSTILE, [HOSTILE]: { [HOSTILE]: [HOSTILE] } })],
    ['explainFile', failing],
  ])('of a collector: %s', async (operation, handler) => {
    const directory = await owned('collector', { [operation]: handler });
    const name = operation === 'getStatus' ? 'status' : 'explain';
    const words = name === 'status' ? ['--verbose'] : [HOSTILE];
    for (const json of [[], ['--json']])
      await expectHarmlessCommand([name, ...words, ...json, '--state-directory', directory]);
  });

  it.each([
    [['--check']],
    [['--check', '--json']],
    [['--check', '--connect']],
    [['--check', '--connect', '--json']],
    [['--once']],
  ])('of collector %j', async (flags) => {
    const directory = await temporaryDirectory();
    await writeFile(join(directory, `${HOSTILE}.log`), 'x\n');
    const environment = {
      COLLECTOR_TAIL: `${directory}/*.log,/no/such/${HOSTILE}`,
      COLLECTOR_AGGREGATOR_ADDRESS: '127.0.0.1:1',
      COLLECTOR_STATE_DIRECTORY: join(directory, HOSTILE),
      [`COLLECTOR_${HOSTILE}`]: '1',
    };
    await expectHarmlessCommand(['collector', ...flags], environment);
  });

  it.each([
    ['COLLECTOR_TAIL_CONFIGURATION', `[{"paths":["/x"],"format":"${'MARK\u009b\u202e\u2028'}"}]`],
    ['COLLECTOR_TAIL_CONFIGURATION', `{"MARK": ${HOSTILE}`],
    ['COLLECTOR_LOG_LEVEL', HOSTILE],
    ['COLLECTOR_AGGREGATOR_ADDRESS', HOSTILE],
  ])('of a value of %s that is refused', async (name, value) => {
    const environment = { COLLECTOR_TAIL: '/x', [name]: value };
    for (const json of [[], ['--json']]) {
      for (const isTTY of [true, false]) {
        const text = await printed(['collector', '--check', ...json], isTTY, environment);
        expect(text).toContain(name);
        expect(OBEYED.exec(text)?.[0], JSON.stringify(text)).toBeUndefined();
      }
    }
  });

  it.each([
    [[HOSTILE]],
    [['status', `--${HOSTILE}`]],
    [['monitor', HOSTILE]],
    [['collector', '--source', `/no/such/${HOSTILE}`]],
    [['status', '--state-directory', `/no/such/${HOSTILE}`]],
    [['search', `/no/such/${HOSTILE}`]],
  ])('of a command line that is refused: %j', async (argv) => {
    await expectHarmlessCommand(argv);
  });

  it.each([
    [[]],
    [['--json']],
    [['--attributes']],
    [['--values', 'body']],
    [['--histogram']],
    [['--where', 'MARK=1']],
  ])(
    'of search %j',
    async (flags) => {
      const path = join(await temporaryDirectory(), `${HOSTILE}.json`);
      const record = {
        msg: HOSTILE,
        service: { name: HOSTILE },
        host: { name: HOSTILE },
        [HOSTILE]: HOSTILE,
      };
      await writeFile(path, `${JSON.stringify(record)}\n`);
      for (const isTTY of [true, false]) {
        const text = await printed(['search', path, ...flags], isTTY);
        expect(text).not.toBe('');
        expect(OBEYED.exec(text)?.[0], JSON.stringify(text)).toBeUndefined();
      }
    },
    30_000,
  );
});

const METRIC = {
  definition: {
    ...{ id: HOSTILE, statistic: 'avg', property: HOSTILE, segment: HOSTILE, where: { [HOSTILE]: HOSTILE } },
    ...{ periodSeconds: 60, refreshSeconds: 60, startOffsetSeconds: 3600, endOffsetSeconds: 60 },
  },
  ...{ createdAt: HOSTILE, refreshedAt: HOSTILE, points: 1, problem: HOSTILE },
  setAside: [{ time: HOSTILE, reason: HOSTILE }],
};
const STATE = {
  ...{ segment: HOSTILE, state: 'firing', since: HOSTILE, pendingSince: null, observed: 1 },
  ...{ checkedAt: HOSTILE, alert: HOSTILE, level: 1, comparison: '>' },
};
const ALERT = {
  definition: {
    ...{ id: HOSTILE, metric: HOSTILE, statistic: 'avg', comparison: '>', level: 1, windowSeconds: 60 },
    ...{ refreshSeconds: 60, segment: HOSTILE, evaluateEmpty: false, message: HOSTILE },
  },
  ...{ createdAt: HOSTILE, states: [STATE], problem: { reason: HOSTILE, since: HOSTILE } },
};
const POINT = { time: HOSTILE, segment: HOSTILE, value: 1, count: 1 };
const EVENT = {
  alert: HOSTILE,
  ...{ at: HOSTILE, segment: HOSTILE, from: 'ok', to: 'firing', observed: 1, comparison: '>', level: 1 },
};
const ENTRY = logEntry(1, {
  ...{ host: HOSTILE, service: HOSTILE, source: HOSTILE, body: HOSTILE, severityText: HOSTILE },
  attributes: { [HOSTILE]: HOSTILE, deep: [HOSTILE] },
});
const ROUTES: FakeRoutes = {
  'GET /v1/logs': { json: { entries: [ENTRY], next: null } },
  'GET /v1/logs/values': { json: { values: [{ value: HOSTILE, count: 1 }] } },
  'GET /v1/metrics': { json: { metrics: [METRIC] } },
  'GET /v1/metrics/m': { json: METRIC },
  'GET /v1/metrics/m/points': { json: { points: [POINT] } },
  'GET /v1/alerts': { json: { alerts: [ALERT] } },
  'GET /v1/alerts/a': { json: ALERT },
  'GET /v1/alerts/a/history': { json: { events: [EVENT] } },
  'POST /v1/defaults': { json: { created: [HOSTILE], existing: [HOSTILE] } },
};
const REFUSING: FakeRoutes = Object.fromEntries(
  Object.keys(ROUTES).map((route) => [
    route,
    {
      status: 400,
      json: {
        error: {
          ...{ code: HOSTILE, message: HOSTILE },
          problems: [{ path: HOSTILE, message: HOSTILE }],
        },
      },
    },
  ]),
);

describe('no control character or mark of direction is printed by monitor', () => {
  it.each([
    [['logs']],
    [['logs', '--attributes']],
    [['logs', '--values', 'x']],
    [['metrics']],
    [['metrics', 'get', 'm']],
    [['metrics', 'meta', 'm']],
    [['metrics', 'create', '--default']],
    [['alerts']],
    [['alerts', 'get', 'a']],
    [['alerts', 'meta', 'a']],
  ])('%j', async (argv) => {
    const json = argv.includes('create') || argv.includes('--attributes') ? [[]] : [[], ['--json']];
    for (const routes of [ROUTES, REFUSING]) {
      const server = await FakeAggregator.start(routes);
      for (const flags of json)
        await expectHarmlessCommand(['monitor', ...argv, ...flags, '--url', server.url, '--wait', '0s']);
    }
  });
});

describe('no control character or mark of direction is printed by a running process', () => {
  it.each(['body', 'json'] as const)('of records by the text emitter on a terminal, as %s', (format) => {
    const lines = [`${HOSTILE}\n`, `\u0080\u0000\u001b${HOSTILE}`].map((line) => Buffer.from(line));
    const slice = {
      ...{ stream: STREAM as never, start: 0, format: 'plain', observedTimeUnixNano: 1n, marks: [] },
      resource: new Map([['host.name', HOSTILE]]),
      sizes: Uint32Array.from(lines.map(({ length }) => length)),
      data: Buffer.concat(lines),
    };
    expectHarmless(Buffer.from(printedSlice(slice, format, true)).toString());
  });

  it.each([
    ['for people', true],
    ['as JSON', false],
  ])('of fields and messages by the log, %s', async (_, pretty) => {
    const to = new PassThrough();
    const logger = createLogger({ level: 'info', name: 'collector', pretty, to });
    logger.warn({ host: HOSTILE, [HOSTILE]: [HOSTILE], err: new Error(HOSTILE) }, HOSTILE);
    let shown = '';
    await expect.poll(() => (shown += String(to.read() ?? ''))).toContain('MARK');
    expectHarmless(shown.replaceAll(COLOURS, ''));
  });
});
