import { EventEmitter } from 'node:events';
import { join } from 'node:path';
import { Writable } from 'node:stream';
import { stripVTControlCharacters } from 'node:util';
import { describe, expect, onTestFinished, test } from 'vitest';
import type { Io } from '../../../src/cli/output/io.ts';
import { run } from '../../../src/cli/run.ts';
import type { TopStreamReport } from '../../../src/collector/collector-reports.ts';
import { ControlServer } from '../../../src/runtime/control/control-server.ts';
import { capturedIo } from '../../support/captured-io.ts';
import { capturedLogger } from '../../support/captured-logger.ts';
import {
  answerWith,
  type FakeAnswers,
  fakeOwner,
  fakeStateDirectory,
  ownedDirectory,
} from '../../support/owner-process.ts';
import { temporaryDirectory } from '../../support/temporary-directory.ts';

const HOSTILE = '/logs/\u001b[2Jevil\u202e.log';
const AMOUNT = { records: 0, bytes: 0 };

const topStream = (source: string, more: Partial<TopStreamReport> = {}): TopStreamReport => ({
  ...{ stream: 'abc', source, read: 1000, accepted: 900, waiting: 100, unread: 3996 },
  ...more,
});

/** A collector that accepts 2,000 bytes and 50 records between two requests. */
function collectorAnswers(top: readonly TopStreamReport[] = [topStream('/logs/a.log')]): FakeAnswers {
  let requests = 0;
  return {
    getStatus: async () => {
      requests++;
      const accepted = 2000 * requests;
      const balance = { read: accepted, accepted, waiting: 0, unread: 10_000 - 1000 * requests };
      return {
        ...{ role: 'collector', ...balance, lost: 7, streamCount: 10_000, sentRecords: 50 * requests },
        ...{ aggregator: '127.0.0.1:8000', top },
        listeners: [
          {
            ...{
              listener: 'udp://:514',
              state: 'listening',
              senders: 3,
              records: 10 * requests,
              bytes: 100 * requests,
            },
            dropped: { noRoom: 2, kernel: 3 },
          },
        ],
      };
    },
  };
}

const STREAM_REPORT = {
  ...{ stream: 'abc', collector: 'c1', resource: { 'log.file.path': '/logs/a.log' }, format: 'plain' },
  ...{ acceptedBytes: 4096, lastSeen: '2026-01-31T10:00:00.000Z', recordsPerSecond: 5, bytesPerSecond: 2048 },
};

const AGGREGATOR: FakeAnswers = {
  getStatus: answerWith({
    role: 'aggregator',
    accepted: { records: 100, bytes: 1000 },
    emitters: [
      {
        ...{ emitter: 'store', before: AMOUNT, delivered: AMOUNT, deadLettered: { records: 4, bytes: 1 } },
        ...{ discarded: AMOUNT, queued: { records: 1200, bytes: 5 } },
        ...{ state: 'retrying', lagSeconds: 90, recordsPerSecond: 3, catchUpSeconds: 3600 },
      },
    ],
    ...{ diskBytes: 2048, disk: { path: '/s', usedBytes: 2048, freeBytes: 4096, limitBytes: 8192 } },
    health: { status: 'degraded', problems: ['Late: emitter store, for 90 s.'] },
  }),
  listCollectors: answerWith({ collectors: [] }),
  listStreams: answerWith({ streams: [STREAM_REPORT] }),
};

async function printed(argv: readonly string[]) {
  const { io, stdout, stderr } = capturedIo();
  const exitCode = await run(['top', '--interval', '500ms', ...argv], io);
  return { exitCode, stdout: stdout(), stderr: stderr() };
}

describe('one sample', () => {
  test('of a collector has rates, backlog, streams, listeners and losses', async () => {
    const directory = await ownedDirectory(
      'collector',
      collectorAnswers([
        topStream(HOSTILE, { recordsPerSecond: 12, bytesPerSecond: 2048, catchUpSeconds: 5, lagSeconds: 61 }),
      ]),
    );
    const { exitCode, stdout } = await printed(['--state-directory', directory]);
    expect(exitCode).toBe(0);
    expect(stdout).toMatch(/^ {2}[\d.,]+ records\/s, [\d.]+ KiB\/s; backlog 7.8 KiB, caught up in \d+s$/m);
    expect(stdout).toContain('10,000 streams; lost 7 B; sending to 127.0.0.1:8000');
    expect(stdout).toMatch(/^udp:\/\/:514 +listening +3 +[\d.]+ +\d+ B\/s +5$/m);
    expect(stdout).toMatch(/evil.* +12 +2 KiB\/s +4 KiB +1m1s +5s$/m);
    for (const obeyed of ['\u001b', '\u202e']) expect(stdout).not.toContain(obeyed);
  });

  test('of an aggregator has the queue, the emitters and the streams', async () => {
    const { stdout } = await printed(['--state-directory', await ownedDirectory('aggregator', AGGREGATOR)]);
    expect(stdout).toContain('queue 2 KiB of 8 KiB, 4 KiB free on the disk');
    expect(stdout).toContain('! Late: emitter store, for 90 s.');
    expect(stdout).toMatch(/^store +retrying +0 +1,200 +1m30s +1h +4 +0$/m);
    expect(stdout).toMatch(/^\/logs\/a\.log +c1 +5 +2 KiB\/s +4 KiB$/m);
  });

  test('as JSON is one object per process', async () => {
    const home = await temporaryDirectory();
    const answers: FakeAnswers = collectorAnswers();
    await ownedDirectory('collector', answers, join(home, 'mega-collector/collector'));
    await fakeStateDirectory('aggregator', join(home, 'mega-collector/aggregator'));
    const { io, stdout } = capturedIo({ environment: { XDG_STATE_HOME: home } });
    expect(await run(['top', '--json', '--interval', '500ms', '--limit', '5'], io)).toBe(0);
    const samples = stdout()
      .trimEnd()
      .split('\n')
      .map((line) => JSON.parse(line) as object);
    expect(samples).toMatchObject([
      { role: 'collector', running: true, lost: 7, streams: [{ source: '/logs/a.log' }] },
      { role: 'aggregator', running: false, reason: 'not running' },
    ]);
  });

  test('requests only the streams that are shown', async () => {
    const queries: unknown[] = [];
    const { getStatus } = collectorAnswers();
    const directory = await ownedDirectory('collector', {
      getStatus: async (input) => {
        queries.push(input.query);
        return await getStatus?.(input);
      },
    });
    await printed(['--state-directory', directory, '--limit', '7', '--sort', 'backlog']);
    expect(queries).toEqual([
      { top: 7, sort: 'backlog' },
      { top: 7, sort: 'backlog' },
    ]);
  });

  test('fails if no process answers', async () => {
    const directory = await fakeStateDirectory('collector');
    const { exitCode, stderr } = await printed(['--state-directory', directory]);
    expect(exitCode).toBe(1);
    expect(stderr).toContain(
      'No process answers. Start one, or name another with --state-directory or --url.',
    );
    expect(stderr).toContain('not running');
  });

  test.each([
    [['--interval', '1ms'], '--interval must be a duration from 500ms to 1h'],
    [['--limit', '0'], '--limit must be 1 to 1000'],
    [['--sort', 'size'], 'rate, backlog, lag, name'],
    [['--url', 'http://127.0.0.1:1', '--state-directory', '/x'], 'not both'],
  ])('rejects %j', async (flags, message) => {
    const { exitCode, stderr } = await printed(flags);
    expect(exitCode).toBe(2);
    expect(stderr).toContain(message);
  });
});

/** A terminal whose frames the test sees, and whose keys it presses. */
class FakeTerminal {
  readonly keys = Object.assign(new EventEmitter(), { isTTY: true, modes: [] as boolean[] });
  written = '';
  readonly stdout = Object.assign(
    new Writable({
      write: (chunk: Buffer, _encoding, done) => {
        this.written += chunk.toString();
        done();
      },
    }),
    { isTTY: true, columns: 80, rows: 24 },
  );

  get io(): Io {
    const { io } = capturedIo({ environment: { NO_COLOR: '1' } });
    const stdin = Object.assign(this.keys, {
      setRawMode: (isRaw: boolean) => void this.keys.modes.push(isRaw),
      resume: () => {},
      pause: () => {},
    }) as unknown as Io['stdin'];
    return { ...io, stdin, stdout: this.stdout };
  }

  /** The last frame, as lines. */
  get frame(): readonly string[] {
    const text = this.written.split('\u001b[H').at(-1) ?? '';
    return stripVTControlCharacters(text).split('\r\n');
  }

  async shows(text: string): Promise<void> {
    await expect.poll(() => this.frame.join('\n'), { timeout: 20_000 }).toContain(text);
  }

  press(key: string): void {
    this.keys.emit('data', Buffer.from(key));
  }
}

describe('the live view', () => {
  test('fits into 80 x 24, sorts by key, redraws after a resize, and ends with q', async () => {
    const queries: { sort?: string }[] = [];
    const streams = Array.from({ length: 60 }, (_, at) => topStream(`/logs/${'long'.repeat(30)}/${at}.log`));
    const { getStatus } = collectorAnswers(streams);
    const directory = await ownedDirectory('collector', {
      getStatus: async (input) => {
        queries.push(input.query as { sort?: string });
        return await getStatus?.(input);
      },
    });
    const terminal = new FakeTerminal();
    const ended = run(['top', '--interval', '500ms', '--state-directory', directory], terminal.io);
    await terminal.shows('backlog 4');
    expect(terminal.frame.length).toBeLessThanOrEqual(24);
    expect(Math.max(...terminal.frame.map((line) => line.length))).toBeLessThanOrEqual(80);
    terminal.press('b');
    await terminal.shows('by backlog');
    await expect.poll(() => queries.at(-1)?.sort).toBe('backlog');
    Object.assign(terminal.stdout, { columns: 40, rows: 8 });
    terminal.stdout.emit('resize');
    expect(terminal.frame.length).toBeLessThanOrEqual(8);
    terminal.press('q');
    expect(await ended).toBe(0);
    expect(terminal.written.endsWith('\u001b[?25h\u001b[?1049l')).toBe(true);
    expect(terminal.keys.modes).toEqual([true, false]);
    expect(terminal.written).not.toContain('\u001b[1m');
  });

  test('shows a process that goes away, and its numbers again when it returns', async () => {
    const directory = await fakeStateDirectory('collector');
    const start = async () => {
      const handle = fakeOwner('collector', collectorAnswers());
      const server = new ControlServer({ directory, handle, logger: capturedLogger().logger });
      await server.start();
      onTestFinished(() => server.stop(AbortSignal.abort()));
      return server;
    };
    const first = await start();
    const terminal = new FakeTerminal();
    const ended = run(['top', '--interval', '500ms', '--state-directory', directory], terminal.io);
    await terminal.shows('running');
    await first.stop(AbortSignal.abort());
    await terminal.shows('waiting for it');
    expect(terminal.frame.join('\n')).not.toContain('/logs/a.log');
    await start();
    await terminal.shows('/logs/a.log');
    terminal.press('\u0003');
    expect(await ended).toBe(0);
  });
});
