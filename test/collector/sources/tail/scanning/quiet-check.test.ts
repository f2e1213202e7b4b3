import { statSync } from 'node:fs';
import { appendFile, chmod, mkdir, rename, rm, symlink, utimes, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { findFiles } from '../../../../../src/collector/sources/tail/files/find-files.ts';
import { PathPatterns } from '../../../../../src/collector/sources/tail/files/path-patterns.ts';
import { tailEntriesFromGlobs } from '../../../../../src/collector/sources/tail/files/tail-configuration.ts';
import type { FollowedFiles } from '../../../../../src/collector/sources/tail/identity/followed-files.ts';
import type { FileStream } from '../../../../../src/collector/sources/tail/reading/file-stream.ts';
import { QuietCheck } from '../../../../../src/collector/sources/tail/scanning/quiet-check.ts';
import { FakeClock } from '../../../../support/fake-clock.ts';
import { temporaryDirectory } from '../../../../support/temporary-directory.ts';

test('is enough when nothing has changed since the last scan', async () => {
  const quiet = await Quiet.prepare();
  expect(await quiet.check.isEnough()).toBe(true);
});

test('is not enough before a scan whose directories were known before it', async () => {
  const quiet = await Quiet.prepare({ scans: 1 });
  expect(await quiet.check.isEnough()).toBe(false);
});

test('is not enough when a directory had changed shortly before the scan', async () => {
  const quiet = await Quiet.prepare({ isRecent: true });
  expect(await quiet.check.isEnough()).toBe(false);
});

test('is not enough when the last scan is five minutes old', async () => {
  const quiet = await Quiet.prepare();
  await quiet.clock.advance(299_999);
  expect(await quiet.check.isEnough()).toBe(true);
  await quiet.clock.advance(1);
  expect(await quiet.check.isEnough()).toBe(false);
});

test('is not enough while something waits for a scan', async () => {
  const quiet = await Quiet.prepare();
  quiet.isSettled = false;
  expect(await quiet.check.isEnough()).toBe(false);
});

const CHANGES: Readonly<Record<string, (logs: string) => Promise<void>>> = {
  'a new file': (logs) => writeFile(join(logs, 'new.log'), 'x'),
  'a deleted file': (logs) => rm(join(logs, 'followed.log')),
  'a renamed file': (logs) => rename(join(logs, 'followed.log'), join(logs, 'followed.log.1')),
  'the first bytes of an empty file': (logs) => appendFile(join(logs, 'unread.log'), 'x'),
  'other bytes in an archive': (logs) => writeFile(join(logs, 'old.log.gz'), 'other'),
  'a permission of a directory': (logs) => chmod(logs, 0o711),
  'the target of a link to a file': (logs) => writeFile(join(logs, '..', 'elsewhere', 'target.log'), 'x'),
  'the target of a link to a directory': (logs) => mkdir(join(logs, '..', 'elsewhere', 'application')),
  'another directory at the path': async (logs) => {
    await rename(logs, `${logs}.old`);
    await mkdir(logs);
  },
};

test.each(Object.entries(CHANGES))('is not enough after %s', async (_name, change) => {
  const quiet = await Quiet.prepare();
  await change(quiet.logs);
  expect(await quiet.check.isEnough()).toBe(false);
});

test('compares a followed file that has changed, and needs no scan if it has its bytes', async () => {
  const quiet = await Quiet.prepare();
  await appendFile(join(quiet.logs, 'followed.log'), 'another line\n');
  expect(await quiet.check.isEnough()).toBe(true);
  expect(quiet.compared).toEqual([join(quiet.logs, 'followed.log')]);
  quiet.hasItsBytes = false;
  expect(await quiet.check.isEnough()).toBe(false);
});

test('wakes a followed file that was not read to its end', async () => {
  const quiet = await Quiet.prepare();
  quiet.position = 0;
  expect(await quiet.check.isEnough()).toBe(true);
  expect(quiet.woken).toBe(1);
});

const PATTERNS = ['*.log', '*.gz', 'application/*.log'];

/**
 * A directory with a followed file, an empty one, an archive, and links without a target, after scans that found
 * them.
 */
class Quiet {
  readonly clock = new FakeClock();
  readonly logs: string;
  readonly check: QuietCheck;
  readonly compared: string[] = [];
  isSettled = true;
  hasItsBytes = true;
  position = 5;
  woken = 0;

  private constructor(logs: string) {
    this.logs = logs;
    const stream = this.#stream(join(logs, 'followed.log'));
    const files = {
      attached: () => [stream],
      streamOf: ({ inode }: { readonly inode: string }) =>
        inode === stream.place.inode ? stream : undefined,
      lost: new Set(),
    };
    this.check = new QuietCheck({
      files: files as unknown as FollowedFiles,
      localDevices: { has: () => true, examine: async () => undefined },
      clock: this.clock,
      isSettled: () => this.isSettled,
      compare: async ({ path }) => {
        this.compared.push(path);
        return this.hasItsBytes;
      },
    });
  }

  static async prepare({ scans = 2, isRecent = false } = {}): Promise<Quiet> {
    const logs = join(await temporaryDirectory(), 'logs');
    await mkdir(logs);
    await writeFile(join(logs, 'followed.log'), 'line\n');
    for (const name of ['unread.log', 'old.log.gz']) await writeFile(join(logs, name), '');
    await mkdir(join(logs, '..', 'elsewhere'));
    await symlink('../elsewhere/target.log', join(logs, 'link.log'));
    await symlink('../elsewhere/application', join(logs, 'application'));
    const long = new Date(Date.now() - 60_000);
    await utimes(join(logs, 'old.log.gz'), long, long);
    if (!isRecent) await utimes(logs, long, long);
    const quiet = new Quiet(logs);
    for (let scan = 0; scan < scans; scan++) await quiet.#scan();
    return quiet;
  }

  async #scan(): Promise<void> {
    await this.check.began();
    this.check.ended(await findFiles(new PathPatterns(tailEntriesFromGlobs(PATTERNS), this.logs)));
  }

  #stream(path: string): FileStream {
    const { dev, ino, mtimeMs } = statSync(path);
    const stream = {
      path,
      place: { path, device: String(dev), inode: String(ino) },
      file: { failure: undefined },
      sizeBytes: 5,
      modifiedUnixMs: Math.floor(mtimeMs),
      isInDoubt: false,
      wake: () => this.woken++,
    };
    Object.defineProperty(stream, 'position', { get: () => this.position });
    return stream as unknown as FileStream;
  }
}
