import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, onTestFinished, test } from 'vitest';
import { run } from '../../src/cli/run.ts';
import type { Json } from '../../src/records/json.ts';
import type { Role } from '../../src/runtime/configuration/state-directory.ts';
import { ControlError, type ControlHandlers, serveControl } from '../../src/runtime/control/control.ts';
import type {
  AggregatorStatus,
  CollectorStatus,
  DeadLetterReport,
} from '../../src/runtime/control/control-commands.ts';
import { capturedIo } from '../support/captured-io.ts';
import { capturedLogger } from '../support/captured-logger.ts';
import { temporaryDirectory } from '../support/temporary-directory.ts';

const NOTHING = { records: 0, bytes: 0 };

const AGGREGATOR: AggregatorStatus = {
  role: 'aggregator',
  accepted: { records: 1200, bytes: 123_456 },
  emitters: [
    {
      emitter: 'file',
      before: NOTHING,
      delivered: { records: 1000, bytes: 100_000 },
      queued: { records: 190, bytes: 23_000 },
      deadLettered: { records: 9, bytes: 450 },
      discarded: { records: 1, bytes: 6 },
    },
  ],
  diskBytes: 65_536,
};

const COLLECTOR: CollectorStatus = {
  role: 'collector',
  read: 5000,
  accepted: 4000,
  waiting: 1000,
  unread: 70,
};

const LETTER: DeadLetterReport = {
  id: 'file/0123456789abcdef0123456789abcdef/4096',
  emitter: 'file',
  stream: '0123456789abcdef0123456789abcdef',
  position: 4096,
  records: 2,
  bytes: 12,
  reason: 'not \u001b[31mvalid',
  rejectedTimeUnixNano: '1700000000123456789',
  replaying: false,
};

/** A state directory with an owner that answers. */
async function owned(role: Role, handlers: ControlHandlers, path?: string): Promise<string> {
  const directory = await stateDirectory(role, path);
  const { logger } = capturedLogger();
  const server = await serveControl({ directory, handlers, logger });
  onTestFinished(() => server.close());
  return directory;
}

async function stateDirectory(role: Role, path?: string): Promise<string> {
  const directory = path ?? (await temporaryDirectory());
  await mkdir(directory, { recursive: true });
  await writeFile(join(directory, 'layout.json'), JSON.stringify({ role, version: 1 }));
  return directory;
}

const as = (value: unknown) => async () => value as Json;

/** Keeps what the command asked. */
function recording(answer: unknown) {
  const inputs: Json[] = [];
  const handler = async (input: Json) => {
    inputs.push(input);
    return answer as Json;
  };
  return { handler, inputs };
}

async function commandOf(argv: readonly string[], environment: Record<string, string> = {}) {
  const { io, stdout, stderr } = capturedIo({ environment });
  const exitCode = await run(argv, io);
  return { exitCode, stdout: stdout(), stderr: stderr() };
}

describe('status', () => {
  test('shows the balance of an aggregator', async () => {
    const directory = await owned('aggregator', { status: as(AGGREGATOR) });
    const { exitCode, stdout } = await commandOf(['status', '--state-directory', directory]);
    expect(exitCode).toBe(0);
    expect(stdout).toContain(`aggregator  ${directory}  running`);
    expect(stdout).toContain('accepted 1,200 (120.6 KiB); the queue takes 64 KiB on disk');
    expect(stdout).toMatch(/^emitter +delivered +queued +dead-lettered +discarded$/m);
    expect(stdout).toMatch(/^file +1,000 \(97.7 KiB\) +190 \(22.5 KiB\) +9 \(450 B\) +1 \(6 B\)$/m);
  });

  test('shows the balance of a collector, and its streams when asked', async () => {
    const streams = [
      { stream: 'abc', source: '/var/log/a\nb', read: 5000, accepted: 4000, waiting: 1000, unread: 70 },
    ];
    const { handler, inputs } = recording({ ...COLLECTOR, streams });
    const directory = await owned('collector', { status: handler });
    const { stdout } = await commandOf(['status', '--verbose', '--state-directory', directory]);
    expect(inputs).toEqual([{ verbose: true }]);
    expect(stdout).toMatch(/^\/var\/log\/a\\nb +abc +5,000 +4,000 +1,000 +70$/m);
    expect(stdout).toMatch(/^all streams +5,000 +4,000 +1,000 +70$/m);
  });

  test('shows how many bytes a collector has lost, if it has lost any', async () => {
    const textWith = async (lost: number | undefined) => {
      const directory = await owned('collector', { status: as({ ...COLLECTOR, lost }) });
      return (await commandOf(['status', '--state-directory', directory])).stdout;
    };
    expect(await textWith(123_456)).toContain('lost  123,456 bytes were gone before they could be read');
    for (const none of [0, undefined]) expect(await textWith(none)).not.toContain('lost');
  });

  test('prints JSON: one line for each state directory there is', async () => {
    const home = await temporaryDirectory();
    const aggregator = await owned(
      'aggregator',
      { status: as(AGGREGATOR) },
      join(home, 'mega-collector/aggregator'),
    );
    const collector = await owned(
      'collector',
      { status: as(COLLECTOR) },
      join(home, 'mega-collector/collector'),
    );
    const { stdout } = await commandOf(['status', '--json'], { XDG_STATE_HOME: home });
    const lines = stdout
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line));
    expect(lines).toEqual([
      { ...COLLECTOR, stateDirectory: collector, running: true },
      { ...AGGREGATOR, stateDirectory: aggregator, running: true },
    ]);
  });

  test('the variable says where the state is', async () => {
    const directory = await owned('aggregator', { status: as(AGGREGATOR) });
    const { exitCode, stdout } = await commandOf(['status', '--json'], {
      AGGREGATOR_STATE_DIRECTORY: directory,
      HOME: '/missing',
    });
    expect(exitCode).toBe(0);
    expect(JSON.parse(stdout)).toMatchObject({ stateDirectory: directory });
  });

  test('reports the searched paths if there is no state', async () => {
    const { exitCode, stderr } = await commandOf(['status'], { HOME: '/missing' });
    expect(exitCode).toBe(1);
    expect(stderr).toContain(
      'Cannot find a state directory at /missing/.local/state/mega-collector/collector and',
    );
  });

  test('a directory that is none, or is missing, is named', async () => {
    const empty = await temporaryDirectory();
    expect((await commandOf(['status', '--state-directory', empty])).stderr).toContain(
      'is not a state directory',
    );
    expect((await commandOf(['status', '--state-directory', join(empty, 'x')])).stderr).toContain(
      'Cannot find a state',
    );
  });

  test('an owner that answers something else is told apart', async () => {
    const directory = await owned('aggregator', { status: as({ role: 'aggregator' }) });
    const { exitCode, stderr } = await commandOf(['status', '--state-directory', directory]);
    expect(exitCode).toBe(1);
    expect(stderr).toContain('is it of another version?');
  });
});

describe('without a running process', () => {
  const offline = async (handlers: ControlHandlers, argv: readonly string[], busy = 0) => {
    const directory = await stateDirectory('aggregator');
    const opened: string[] = [];
    const { io, stdout, stderr } = capturedIo({
      services: {
        openOfflineControl: async (role, path) => {
          opened.push(`${role} ${path === directory}`);
          if (opened.length <= busy) {
            throw Object.assign(new Error('in use by process 1'), { name: 'StateDirectoryBusyError' });
          }
          return { handlers, close: async () => void opened.push('closed') };
        },
      },
    });
    const exitCode = await run([...argv, '--state-directory', directory], io);
    return { exitCode, opened, stdout: stdout(), stderr: stderr() };
  };

  test('the command becomes the owner for its duration', async () => {
    const { exitCode, opened, stdout } = await offline({ status: as(AGGREGATOR) }, ['status', '--json']);
    expect(exitCode).toBe(0);
    expect(JSON.parse(stdout)).toMatchObject({ running: false });
    expect(opened).toEqual(['aggregator true', 'closed']);
  });

  test('an owner that is just starting is asked again', async () => {
    const { exitCode, opened } = await offline({ status: as(AGGREGATOR) }, ['status'], 2);
    expect(exitCode).toBe(0);
    expect(opened).toEqual(['aggregator true', 'aggregator true', 'aggregator true', 'closed']);
  });

  test('a failing command lets go of the directory', async () => {
    const failing = async () => {
      throw new ControlError('not-found', 'There is no emitter "x"');
    };
    const { exitCode, opened, stderr } = await offline({ 'emitters.forget': failing }, [
      'emitters',
      'forget',
      'x',
    ]);
    expect(exitCode).toBe(1);
    expect(stderr).toBe('mega-collector: There is no emitter "x"\n');
    expect(opened).toEqual(['aggregator true', 'closed']);
  });
});

describe('explain', () => {
  test('says why a file is not read', async () => {
    const answer = { kind: 'not-read', path: '/a\nb', reason: 'it is empty' };
    const directory = await owned('collector', { explain: as(answer) });
    const { stdout } = await commandOf(['explain', 'x', '--state-directory', directory]);
    expect(stdout).toBe('file      /a\\nb\nnot read  it is empty\n');
  });

  test('shows how a file is read', async () => {
    const directory = await owned('collector', {
      explain: as({
        kind: 'followed',
        ...{ path: '/a.1', device: '8', inode: '9', prefix: { length: 1024, hash: 'abc' } },
        status: {
          ...{ stream: 'f00', origin: '/a.1', path: '/a.1', home: '/a', state: 'open' },
          ...{ sizeBytes: 5000, position: 4096, readBytes: 4096, acceptedBytes: 4000, waitingBytes: 1000 },
          oldestWaitingMs: 61_234,
        },
        waitsFor: '/a.2',
      }),
    });
    const { stdout } = await commandOf(['explain', 'x', '--state-directory', directory]);
    expect(stdout).toBe(
      [
        'file           /a.1',
        'stream         f00, open',
        'identity       first 1,024 bytes abc; device 8, inode 9',
        'first seen as  /a',
        'size           5,000 bytes',
        'position       4,096',
        'accepted       4,000 bytes',
        'lag            1,000 bytes, the oldest for 61 s',
        'waits for      /a.2',
        '',
      ].join('\n'),
    );
  });

  test('shows what a collector of another version says of a file, field by field', async () => {
    const { handler, inputs } = recording({
      state: 'read',
      lagBytes: 12,
      reason: null,
      status: { position: 7, of: ['a\u0007b'] },
    });
    const directory = await owned('collector', { explain: handler });
    const { stdout } = await commandOf(['explain', 'access.log', '--state-directory', directory]);
    expect(inputs).toEqual([{ path: join(process.cwd(), 'access.log') }]);
    expect(stdout).toBe(
      'state            read\nlag bytes        12\nstatus position  7\nstatus of        ["a\\u0007b"]\n',
    );
  });

  test('needs the state of a collector', async () => {
    const directory = await owned('aggregator', {});
    const { exitCode, stderr } = await commandOf(['explain', 'x', '--state-directory', directory]);
    expect(exitCode).toBe(1);
    expect(stderr).toContain(
      'belongs to the aggregator; this command needs the state directory of the collector',
    );
  });
});

describe('dead-letters', () => {
  test('list shows each in a line that is safe for a terminal', async () => {
    const { handler, inputs } = recording([LETTER]);
    const directory = await owned('aggregator', { 'dead-letters.list': handler });
    const { stdout } = await commandOf([
      'dead-letters',
      'list',
      '--emitter',
      'file',
      '--state-directory',
      directory,
    ]);
    expect(inputs).toEqual([{ emitter: 'file' }]);
    expect(stdout).toContain(`${LETTER.id}        2  12 B  2023-11-14T22:13:20.123Z  not \\x1b[31mvalid\n`);
  });

  test('list prints JSON lines', async () => {
    const directory = await owned('aggregator', { 'dead-letters.list': as([LETTER, LETTER]) });
    const { stdout } = await commandOf(['dead-letters', 'list', '--json', '--state-directory', directory]);
    expect(
      stdout
        .trim()
        .split('\n')
        .map((line) => JSON.parse(line)),
    ).toEqual([LETTER, LETTER]);
  });

  test('show shows the records, or their very bytes', async () => {
    const data = Buffer.from('one\ntwo\u0007\n\xff', 'latin1');
    const content = {
      letter: LETTER,
      format: 'plain',
      resource: { 'host.name': 'h' },
      data: data.toString('base64'),
    };
    const { handler, inputs } = recording(content);
    const directory = await owned('aggregator', { 'dead-letters.show': handler });
    const argv = ['dead-letters', 'show', LETTER.id, '--state-directory', directory];
    expect((await commandOf(argv)).stdout).toMatch(/host\.name +h\n\none\ntwo\\x07\n/);
    expect((await commandOf([...argv, '--raw'])).stdout).toBe(data.toString());
    expect(JSON.parse((await commandOf([...argv, '--json'])).stdout)).toEqual(content);
    expect(inputs).toEqual([{ id: LETTER.id }, { id: LETTER.id }, { id: LETTER.id }]);
  });

  test.each([
    ['replay', ['a', 'b'], { ids: ['a', 'b'], emitter: null }, '2 dead letters will be replayed.'],
    ['replay', ['--emitter', 'file'], { ids: null, emitter: 'file' }, '2 dead letters will be replayed.'],
    ['discard', ['--all'], { ids: null, emitter: null }, '2 dead letters discarded.'],
  ])('%s %j', async (name, argv, input, message) => {
    const { handler, inputs } = recording({ count: 2 });
    const directory = await owned('aggregator', { [`dead-letters.${name}`]: handler });
    const { exitCode, stdout } = await commandOf([
      'dead-letters',
      name,
      ...argv,
      '--state-directory',
      directory,
    ]);
    expect(exitCode).toBe(0);
    expect(inputs).toEqual([input]);
    expect(stdout).toBe(`${message}\n`);
  });

  test('one that does not exist is a failure', async () => {
    const directory = await owned('aggregator', { 'dead-letters.replay': as({ count: 1 }) });
    const argv = ['dead-letters', 'replay', 'a', 'b', '--state-directory', directory];
    expect(await commandOf(argv)).toMatchObject({
      exitCode: 1,
      stderr: expect.stringContaining('1 of the 2 named'),
    });
  });
});

describe('emitters', () => {
  const EMITTERS = [
    { name: 'archive', configured: false, queued: { records: 3, bytes: 30 }, deadLettered: NOTHING },
  ];

  test('list', async () => {
    const directory = await owned('aggregator', { 'emitters.list': as(EMITTERS) });
    const { stdout } = await commandOf(['emitters', 'list', '--state-directory', directory]);
    expect(stdout).toMatch(/^archive +no +3 \(30 B\) +0 \(0 B\)$/m);
    const json = await commandOf(['emitters', 'list', '--json', '--state-directory', directory]);
    expect(JSON.parse(json.stdout)).toEqual(EMITTERS);
  });

  test('forget', async () => {
    const { handler, inputs } = recording({});
    const directory = await owned('aggregator', { 'emitters.forget': handler });
    const { exitCode, stdout } = await commandOf([
      'emitters',
      'forget',
      'archive',
      '--state-directory',
      directory,
    ]);
    expect(exitCode).toBe(0);
    expect(inputs).toEqual([{ name: 'archive' }]);
    expect(stdout).toBe('archive is forgotten.\n');
    const json = await commandOf(['emitters', 'forget', 'archive', '--json', '--state-directory', directory]);
    expect(JSON.parse(json.stdout)).toEqual({ forgotten: 'archive' });
  });

  test('skip', async () => {
    const { handler, inputs } = recording({ records: 3, bytes: 30 });
    const directory = await owned('aggregator', { 'emitters.skip': handler });
    const argv = ['emitters', 'skip', 'archive', '--state-directory', directory];
    expect(await commandOf(argv)).toMatchObject({
      exitCode: 0,
      stdout: 'archive goes on; given up: 3 records (30 B).\n',
    });
    expect(inputs).toEqual([{ name: 'archive' }]);
    expect(JSON.parse((await commandOf([...argv, '--json'])).stdout)).toEqual({ records: 3, bytes: 30 });
  });
});
