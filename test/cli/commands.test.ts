import { createServer } from 'node:net';
import { join } from 'node:path';
import { describe, expect, onTestFinished, test } from 'vitest';
import type {
  AggregatorStatus,
  DeadLetterReport,
} from '../../src/aggregator/api/operations/queue-reports.ts';
import { run } from '../../src/cli/run.ts';
import type { CollectorStatus } from '../../src/collector/collector-reports.ts';
import { HttpError } from '../../src/runtime/http/http-error.ts';
import { capturedIo } from '../support/captured-io.ts';
import {
  answerWith,
  type FakeAnswers,
  fakeOwner,
  fakeStateDirectory,
  ownedDirectory,
  recording,
} from '../support/owner-process.ts';
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

async function commandOf(argv: readonly string[], environment: Record<string, string> = {}) {
  const { io, stdout, stderr } = capturedIo({ environment });
  const exitCode = await run(argv, io);
  return { exitCode, stdout: stdout(), stderr: stderr() };
}

describe('status', () => {
  test('shows the balance of an aggregator', async () => {
    const directory = await ownedDirectory('aggregator', { getStatus: answerWith(AGGREGATOR) });
    const { exitCode, stdout } = await commandOf(['status', '--state-directory', directory]);
    expect(exitCode).toBe(0);
    expect(stdout).toContain(`aggregator  ${directory}  running`);
    expect(stdout).toContain('accepted 1,200 (120.6 KiB); the queue takes 64 KiB on disk');
    expect(stdout).toMatch(/^emitter +delivered +queued +dead-lettered +discarded$/m);
    expect(stdout).toMatch(/^file +1,000 \(97.7 KiB\) +190 \(22.5 KiB\) +9 \(450 B\) +1 \(6 B\)$/m);
  });

  test('shows what a running aggregator does, and what is wrong', async () => {
    const [emitter] = AGGREGATOR.emitters;
    const live = {
      ...AGGREGATOR,
      emitters: [
        {
          ...emitter,
          state: 'retrying',
          lagSeconds: 90,
          recordsPerSecond: 1234.5,
          catchUpSeconds: 3600,
          problem: 'no route\u001b[2J',
        },
      ],
      intake: { recordsPerSecond: 2000, bytesPerSecond: 2048, collectors: 3, streams: 40 },
      disk: { path: '/state', usedBytes: 1024, freeBytes: 4096, limitBytes: 2048 },
      health: { status: 'degraded', problems: ['Late: emitter file, for 90 s.'] },
      pagerduty: {
        configured: true,
        openIncidents: [{ key: 'file/delivery', summary: 'no route', since: '2026-01-31T10:00:00.000Z' }],
        lastError: 'HTTP 500',
      },
    };
    const directory = await ownedDirectory('aggregator', { getStatus: answerWith(live) });
    const { stdout } = await commandOf(['status', '--state-directory', directory]);
    const lines = [
      'receiving 2,000 records/s (2 KiB/s); connected collectors: 3; streams since the start: 40',
      'the queue uses 1 KiB of 2 KiB; 4 KiB are free on the disk',
      'file: retrying, 1,235 records/s, 1m30s late, caught up in 1h: no route',
      'Late: emitter file, for 90 s.',
      'Incident file/delivery, since 2026-01-31T10:00:00.000Z: no route',
      'Cannot send to PagerDuty: HTTP 500',
    ];
    for (const line of lines) expect(stdout).toContain(line);
    expect(stdout).not.toContain('\u001b');
  });

  test('shows the balance of a collector, and its streams when asked', async () => {
    const streams = [
      { stream: 'abc', source: '/var/log/a\nb', read: 5000, accepted: 4000, waiting: 1000, unread: 70 },
    ];
    const { run: answer, inputs } = recording({ ...COLLECTOR, streams });
    const directory = await ownedDirectory('collector', { getStatus: answer });
    const { stdout } = await commandOf(['status', '--verbose', '--state-directory', directory]);
    expect(inputs).toMatchObject([{ query: { verbose: true } }]);
    expect(stdout).toMatch(/^\/var\/log\/a\\nb +abc +5,000 +4,000 +1,000 +70$/m);
    expect(stdout).toMatch(/^all streams +5,000 +4,000 +1,000 +70$/m);
  });

  test('shows how many bytes a collector has lost, if it has lost any', async () => {
    const textWith = async (lost: number | undefined) => {
      const directory = await ownedDirectory('collector', { getStatus: answerWith({ ...COLLECTOR, lost }) });
      return (await commandOf(['status', '--state-directory', directory])).stdout;
    };
    expect(await textWith(123_456)).toContain('lost  123,456 bytes were gone before they could be read');
    for (const none of [0, undefined]) expect(await textWith(none)).not.toContain('lost');
  });

  test('prints JSON: one line for each state directory there is', async () => {
    const home = await temporaryDirectory();
    const aggregator = await ownedDirectory(
      'aggregator',
      { getStatus: answerWith(AGGREGATOR) },
      join(home, 'mega-collector/aggregator'),
    );
    const collector = await ownedDirectory(
      'collector',
      { getStatus: answerWith(COLLECTOR) },
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
    const directory = await ownedDirectory('aggregator', { getStatus: answerWith(AGGREGATOR) });
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

  test('an invalid or missing directory is named', async () => {
    const empty = await temporaryDirectory();
    expect((await commandOf(['status', '--state-directory', empty])).stderr).toContain(
      'is not a state directory',
    );
    expect((await commandOf(['status', '--state-directory', join(empty, 'x')])).stderr).toContain(
      'Cannot find a state',
    );
  });

  test('an owner that answers something else is told apart', async () => {
    const directory = await ownedDirectory('aggregator', { getStatus: answerWith({ role: 'aggregator' }) });
    const { exitCode, stderr } = await commandOf(['status', '--state-directory', directory]);
    expect(exitCode).toBe(1);
    expect(stderr).toContain('is it of another version?');
  });
});

describe('without a running process', () => {
  const offline = async (answers: FakeAnswers, argv: readonly string[], busy = 0) => {
    const directory = await fakeStateDirectory('aggregator');
    const opened: string[] = [];
    const { io, stdout, stderr } = capturedIo({
      services: {
        openOfflineControl: async (role, path) => {
          opened.push(`${role} ${path === directory}`);
          if (opened.length <= busy) {
            throw Object.assign(new Error('in use by process 1'), { name: 'StateDirectoryBusyError' });
          }
          return { handle: fakeOwner(role, answers), close: async () => void opened.push('closed') };
        },
      },
    });
    const exitCode = await run([...argv, '--state-directory', directory], io);
    return { exitCode, opened, stdout: stdout(), stderr: stderr() };
  };

  test('the command becomes the owner for its duration', async () => {
    const { exitCode, opened, stdout } = await offline({ getStatus: answerWith(AGGREGATOR) }, [
      'status',
      '--json',
    ]);
    expect(exitCode).toBe(0);
    expect(JSON.parse(stdout)).toMatchObject({ running: false });
    expect(opened).toEqual(['aggregator true', 'closed']);
  });

  test('an owner that is just starting is asked again', async () => {
    const { exitCode, opened } = await offline({ getStatus: answerWith(AGGREGATOR) }, ['status'], 2);
    expect(exitCode).toBe(0);
    expect(opened).toEqual(['aggregator true', 'aggregator true', 'aggregator true', 'closed']);
  });

  test('a failing command lets go of the directory', async () => {
    const failing = async () => {
      throw new HttpError(404, 'not-found', 'There is no emitter "x"');
    };
    const { exitCode, opened, stderr } = await offline({ forgetEmitter: failing }, [
      'emitters',
      'forget',
      'x',
    ]);
    expect(exitCode).toBe(1);
    expect(stderr).toBe('mega-collector: There is no emitter "x"\n');
    expect(opened).toEqual(['aggregator true', 'closed']);
  });
});

describe('forget', () => {
  test('reports that a running collector reads the file again', async () => {
    const { run: answer, inputs } = recording({ streams: 1 });
    const directory = await ownedDirectory('collector', { forgetFile: answer });
    const { exitCode, stdout } = await commandOf(['forget', '/logs/a\nb', '--state-directory', directory]);
    expect(exitCode).toBe(0);
    expect(inputs).toMatchObject([{ body: { path: '/logs/a\nb' } }]);
    expect(stdout).toBe('Forgot /logs/a\\nb. The collector reads it from its beginning.\n');
  });

  test('reports that the next start reads the file again if no collector is running', async () => {
    const path = await fakeStateDirectory('collector');
    const handle = fakeOwner('collector', { forgetFile: answerWith({ streams: 2 }) });
    const { io, stdout } = capturedIo({
      services: { openOfflineControl: async () => ({ handle, close: async () => {} }) },
    });
    expect(await run(['forget', '/logs/a.log', '--state-directory', path], io)).toBe(0);
    expect(stdout()).toBe('Forgot /logs/a.log. The next start reads it from its beginning.\n');
  });

  test('fails for a file that no collector has read', async () => {
    const directory = await ownedDirectory('collector', { forgetFile: answerWith({ streams: 0 }) });
    const { exitCode, stdout, stderr } = await commandOf(['forget', 'x.log', '--state-directory', directory]);
    expect(exitCode).toBe(1);
    expect(stdout).toBe('');
    expect(stderr).toBe(
      `mega-collector: Cannot forget ${join(process.cwd(), 'x.log')}: no collector has read it. Check the path.\n`,
    );
  });
});

describe('explain', () => {
  test('says why a file is not read', async () => {
    const answer = { kind: 'not-read', path: '/a\nb', reason: 'it is empty' };
    const directory = await ownedDirectory('collector', { explainFile: answerWith(answer) });
    const { stdout } = await commandOf(['explain', 'x', '--state-directory', directory]);
    expect(stdout).toBe('file      /a\\nb\nnot read  it is empty\n');
  });

  test('shows how a file is read', async () => {
    const directory = await ownedDirectory('collector', {
      explainFile: answerWith({
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
    const { run: answer, inputs } = recording({
      state: 'read',
      lagBytes: 12,
      reason: null,
      status: { position: 7, of: ['a\u0007b'] },
    });
    const directory = await ownedDirectory('collector', { explainFile: answer });
    const { stdout } = await commandOf(['explain', 'access.log', '--state-directory', directory]);
    expect(inputs).toMatchObject([{ query: { path: join(process.cwd(), 'access.log') } }]);
    expect(stdout).toBe(
      'state            read\nlag bytes        12\nstatus position  7\nstatus of        ["a\\u0007b"]\n',
    );
  });

  test('needs the state of a collector', async () => {
    const directory = await ownedDirectory('aggregator', {});
    const { exitCode, stderr } = await commandOf(['explain', 'x', '--state-directory', directory]);
    expect(exitCode).toBe(1);
    expect(stderr).toContain(
      'belongs to the aggregator; this command needs the state directory of the collector',
    );
  });
});

describe('dead-letters', () => {
  test('list shows each in a line that is safe for a terminal', async () => {
    const { run: answer, inputs } = recording({ deadLetters: [LETTER] });
    const directory = await ownedDirectory('aggregator', { listDeadLetters: answer });
    const { stdout } = await commandOf([
      'dead-letters',
      'list',
      '--emitter',
      'file',
      '--state-directory',
      directory,
    ]);
    expect(inputs).toMatchObject([{ query: { emitter: 'file' } }]);
    expect(stdout).toContain(`${LETTER.id}        2  12 B  2023-11-14T22:13:20.123Z  not \\x1b[31mvalid\n`);
  });

  test('list prints JSON lines', async () => {
    const directory = await ownedDirectory('aggregator', {
      listDeadLetters: answerWith({ deadLetters: [LETTER, LETTER] }),
    });
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
    const { run: answer, inputs } = recording(content);
    const directory = await ownedDirectory('aggregator', { getDeadLetter: answer });
    const argv = ['dead-letters', 'show', LETTER.id, '--state-directory', directory];
    expect((await commandOf(argv)).stdout).toMatch(/host\.name +h\n\none\ntwo\\x07\n/);
    expect((await commandOf([...argv, '--raw'])).stdout).toBe(data.toString());
    expect(JSON.parse((await commandOf([...argv, '--json'])).stdout)).toEqual(content);
    const parameters = { id: LETTER.id };
    expect(inputs).toMatchObject([{ parameters }, { parameters }, { parameters }]);
  });

  test.each([
    ['replay', ['a', 'b'], { ids: ['a', 'b'] }, '2 dead letters will be replayed.'],
    ['replay', ['--emitter', 'file'], { emitter: 'file' }, '2 dead letters will be replayed.'],
    ['discard', ['--all'], { all: true }, '2 dead letters discarded.'],
  ])('%s %j', async (name, argv, body, message) => {
    const { run: answer, inputs } = recording({ count: 2 });
    const directory = await ownedDirectory('aggregator', { [`${name}DeadLetters`]: answer });
    const { exitCode, stdout } = await commandOf([
      'dead-letters',
      name,
      ...argv,
      '--state-directory',
      directory,
    ]);
    expect(exitCode).toBe(0);
    expect(inputs).toMatchObject([{ body }]);
    expect(stdout).toBe(`${message}\n`);
  });

  test('one that does not exist is a failure', async () => {
    const directory = await ownedDirectory('aggregator', { replayDeadLetters: answerWith({ count: 1 }) });
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
    const directory = await ownedDirectory('aggregator', {
      listEmitters: answerWith({ emitters: EMITTERS }),
    });
    const { stdout } = await commandOf(['emitters', 'list', '--state-directory', directory]);
    expect(stdout).toMatch(/^archive +no +3 \(30 B\) +0 \(0 B\)$/m);
    const json = await commandOf(['emitters', 'list', '--json', '--state-directory', directory]);
    expect(JSON.parse(json.stdout)).toEqual(EMITTERS);
  });

  test('forget', async () => {
    const { run: answer, inputs } = recording(undefined);
    const directory = await ownedDirectory('aggregator', { forgetEmitter: answer });
    const { exitCode, stdout } = await commandOf([
      'emitters',
      'forget',
      'archive',
      '--state-directory',
      directory,
    ]);
    expect(exitCode).toBe(0);
    expect(inputs).toMatchObject([{ parameters: { name: 'archive' } }]);
    expect(stdout).toBe('archive is forgotten.\n');
    const json = await commandOf(['emitters', 'forget', 'archive', '--json', '--state-directory', directory]);
    expect(JSON.parse(json.stdout)).toEqual({ forgotten: 'archive' });
  });

  test('skip', async () => {
    const { run: answer, inputs } = recording({ records: 3, bytes: 30 });
    const directory = await ownedDirectory('aggregator', { skipEntry: answer });
    const argv = ['emitters', 'skip', 'archive', '--state-directory', directory];
    expect(await commandOf(argv)).toMatchObject({
      exitCode: 0,
      stdout: 'archive continues; discarded 3 records (30 B).\n',
    });
    expect(inputs).toMatchObject([{ parameters: { name: 'archive' } }]);
    expect(JSON.parse((await commandOf([...argv, '--json'])).stdout)).toEqual({ records: 3, bytes: 30 });
  });
});

describe('a process of another version', () => {
  test('that speaks the line protocol of 0.1.0 must be restarted', async () => {
    const directory = await fakeStateDirectory('aggregator');
    const server = createServer((socket) => {
      socket.on('error', () => {});
      socket.once('data', () =>
        socket.end('{"ok":false,"kind":"invalid-request","message":"A line is not JSON in UTF-8"}\n'),
      );
    });
    await new Promise<void>((resolve) => server.listen(join(directory, 'control.sock'), resolve));
    onTestFinished(() => void server.close());
    for (const argv of [['status'], ['emitters', 'list'], ['dead-letters', 'discard', '--all']]) {
      expect(await commandOf([...argv, '--state-directory', directory])).toEqual({
        exitCode: 1,
        stdout: '',
        stderr: `mega-collector: Cannot read the answer of the process that runs on ${directory}: it is of an earlier version. Restart it.\n`,
      });
    }
  });

  test('that does not know a request is reported', async () => {
    const directory = await ownedDirectory('aggregator', {});
    const { exitCode, stderr } = await commandOf(['emitters', 'list', '--state-directory', directory]);
    expect(exitCode).toBe(1);
    expect(stderr).toContain('does not know it. Run the same version of the process and of the command.');
  });
});

test('a failure of the state is reported with its reason to the owner', async () => {
  const failing = async () => {
    throw new Error('ENOSPC: no space left on device');
  };
  const directory = await ownedDirectory('aggregator', { discardDeadLetters: failing });
  const argv = ['dead-letters', 'discard', '--all', '--state-directory', directory];
  expect(await commandOf(argv)).toMatchObject({
    exitCode: 1,
    stderr: expect.stringContaining('ENOSPC: no space left on device'),
  });
});
