import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { describe, expect, it } from 'vitest';
import { numbered, Tailing } from './tailing.ts';

const run = promisify(execFile);
const LOGROTATE = '/usr/sbin/logrotate';
const ZSTD = '/usr/bin/zstd';
const ROUNDS = 4;
const LOGS = ['app', 'web'] as const;

interface Rotation {
  readonly title: string;
  /** Directives of logrotate. `ROUND` is the number of the rotation. */
  readonly directives: readonly string[];
  readonly globs?: readonly string[];
}

const ZSTANDARD = [`compresscmd ${ZSTD}`, 'compressext .zst', 'compressoptions -q --rm'];
const DATED = ['dateext', 'dateformat -%Y%m%d-ROUND'];
/** Copies, and generations that are created and renamed while the collector is down, are found by their names. */
const WITH_COPIES = ['*.log*'];

const ROTATIONS: readonly Rotation[] = [
  { title: 'create', directives: ['create'], globs: WITH_COPIES },
  {
    title: 'create compress dateext delaycompress',
    directives: ['create', 'compress', 'delaycompress', ...DATED],
    globs: WITH_COPIES,
  },
  { title: 'nocreate compress', directives: ['nocreate', 'compress'] },
  { title: 'copytruncate', directives: ['copytruncate'], globs: WITH_COPIES },
  {
    title: 'copytruncate compress dateext',
    directives: ['copytruncate', 'compress', ...DATED],
    globs: WITH_COPIES,
  },
  {
    title: 'copy and compress',
    directives: ['copytruncate', 'compress', 'delaycompress'],
    globs: WITH_COPIES,
  },
  { title: 'create compress with zstd', directives: ['create', 'compress', ...ZSTANDARD] },
  {
    title: 'create compress delaycompress with zstd',
    directives: ['create', 'compress', 'delaycompress', ...ZSTANDARD],
    globs: WITH_COPIES,
  },
  {
    title: 'create compress sharedscripts postrotate',
    directives: ['create', 'compress', 'sharedscripts', 'postrotate\n /bin/true\n endscript'],
  },
  { title: 'create olddir', directives: ['create', 'olddir OLD'], globs: ['*.log', 'old/*'] },
  {
    title: 'create compress olddir',
    directives: ['create', 'compress', 'olddir OLD'],
    globs: ['*.log', 'old/*'],
  },
  {
    title: 'create compress delaycompress olddir',
    directives: ['create', 'compress', 'delaycompress', 'olddir OLD'],
    globs: ['*.log', 'old/*'],
  },
];

const isPossible = ({ directives }: Rotation) => existsSync(ZSTD) || !directives.includes('compressext .zst');

const linesOf = (tail: Tailing) => tail.taken.text().split('\n').filter(Boolean);

/** Two logs that one configuration of logrotate rotates. */
class RotatedLogs {
  readonly #tail: Tailing;
  readonly #directives: readonly string[];
  #count = 0;

  constructor(tail: Tailing, directives: readonly string[]) {
    this.#tail = tail;
    this.#directives = directives;
  }

  async write(): Promise<void> {
    for (const log of LOGS) await this.#tail.append(`${log}.log`, numbered(this.#count + 1, 20, log));
    this.#count += 20;
  }

  async rotate(round: number): Promise<void> {
    const base = join(this.#tail.logs, '..');
    const directives = this.#directives.map((line) =>
      line.replace('ROUND', String(round)).replace('OLD', this.#tail.path('old')),
    );
    const logs = LOGS.map((log) => this.#tail.path(`${log}.log`)).join(' ');
    const text = `${logs} {\n ${['rotate 20', 'missingok', ...directives].join('\n ')}\n}\n`;
    await writeFile(join(base, 'rotate.conf'), text, { mode: 0o600 });
    await run(LOGROTATE, ['-f', '-s', join(base, 'rotate.state'), join(base, 'rotate.conf')]);
  }

  expected(): string[] {
    return LOGS.flatMap((log) => numbered(1, this.#count, log).split('\n').filter(Boolean));
  }
}

describe.skipIf(!existsSync(LOGROTATE))('logrotate (skipped without it)', { timeout: 60_000 }, () => {
  describe.each(ROTATIONS.filter(isPossible))('with $title', ({ directives, globs = ['*.log'] }) => {
    it.each([
      ['while the collector runs', [false, false, false, false]],
      ['while it is down', [true, true, true, true]],
      ['once while it is down, then while it runs', [true, false, true, false]],
      ['twice while it is down, before a scan', [true, true, false, true]],
    ])('each line is read once, when the rotation is %s', async (_when, isDown) => {
      const tail = await Tailing.prepare({ globs, inflates: true });
      await mkdir(tail.path('old'));
      const logs = new RotatedLogs(tail, directives);
      await logs.write();
      await tail.start();
      let isRunning = true;
      for (let round = 0; round < ROUNDS; round++) {
        if (isDown[round] === true && isRunning) {
          await tail.stop();
          isRunning = false;
        }
        await logs.write();
        if (isRunning) await tail.turn();
        await logs.rotate(round);
        await logs.write();
        if (isDown[round + 1] === true && !isRunning) continue;
        if (!isRunning) await tail.start();
        isRunning = true;
        await tail.pass(3_000);
      }
      if (!isRunning) await tail.start();
      await tail.pass(5_000);
      expect(linesOf(tail).toSorted()).toEqual(logs.expected().toSorted());
      expect(tail.taken.repeatedBytes).toBe(0);
    });
  });
});
