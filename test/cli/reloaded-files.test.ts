import { writeFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { describe, expect, onTestFinished, test, vi } from 'vitest';
import { AGGREGATOR_VARIABLES } from '../../src/aggregator/variables.ts';
import { namedFiles, watchNamedFiles } from '../../src/cli/reloaded-files.ts';
import { systemClock } from '../../src/runtime/clock.ts';
import { capturedLogger } from '../support/captured-logger.ts';
import { temporaryDirectory } from '../support/temporary-directory.ts';

describe('the files that a configuration names', () => {
  test('are those of variables and those of keys in JSON values', () => {
    const environment = { AGGREGATOR_TLS_KEY_FILE: 'keys/key.pem', AGGREGATOR_HTTP_TOKEN_FILE: '/run/token' };
    const config = {
      emitters: [{ name: 'gelf', configuration: { ca_file: '/etc/ca.pem', path: '/var/log/x' } }],
    };
    expect(namedFiles(AGGREGATOR_VARIABLES, environment, config)).toEqual(
      expect.arrayContaining([
        { path: resolve('keys/key.pem'), namedBy: 'AGGREGATOR_TLS_KEY_FILE', isReloadable: true },
        { path: '/etc/ca.pem', namedBy: '"ca_file"', isReloadable: true },
      ]),
    );
  });

  test('are none when everything is given as text', () => {
    expect(namedFiles(AGGREGATOR_VARIABLES, { AGGREGATOR_TLS_KEY: 'text' }, { emitters: [] })).toEqual([]);
  });
});

test('a changed file that only a restart can use is reported, and nothing is reloaded', async () => {
  const directory = await temporaryDirectory();
  const path = join(directory, 'token');
  await writeFile(path, 'one');
  const { logger, lines } = capturedLogger();
  const reload = vi.fn(async () => {});
  const files = [{ path, namedBy: 'AGGREGATOR_HTTP_TOKEN_FILE', isReloadable: false }];
  const watcher = watchNamedFiles({ files, reload, logger, clock: systemClock });
  onTestFinished(() => watcher?.stop());
  await watcher?.start();
  await writeFile(path, 'two');
  await vi.waitUntil(() => lines.length > 0, { timeout: 20_000 });
  expect(lines[0]).toMatchObject({
    level: 40,
    path,
    msg: 'The file of AGGREGATOR_HTTP_TOKEN_FILE has changed. Restart the process to use it',
  });
  expect(reload).not.toHaveBeenCalled();
});
