import { chmod, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { run } from '../../src/cli/run.ts';
import { capturedIo } from '../support/captured-io.ts';
import { temporaryDirectory } from '../support/temporary-directory.ts';

const FILE = `AGGREGATOR_TEXT_CONFIGURATION: 1
AGGREGATOR_RETRY_COUNT: 7
AGGREGATOR_RETRY_DELAY: 10s
AGGREGATOR_MAX_BATCH_SIZE: 17
`;

async function fileWith(text: string, mode = 0o600): Promise<string> {
  const path = join(await temporaryDirectory(), 'mega-collector.yaml');
  await writeFile(path, text);
  await chmod(path, mode);
  return path;
}

async function resultOf(argv: readonly string[], environment: Record<string, string> = {}) {
  const { io, stdout, stderr } = capturedIo({ environment: { HOME: '/home/ann', ...environment } });
  return { code: await run(argv, io), stdout: stdout(), stderr: stderr() };
}

describe('--config', () => {
  test('sets variables; the environment and flags win', async () => {
    const path = await fileWith(FILE);
    const { code, stdout } = await resultOf(
      ['aggregator', '--check', '--config', path, '--retry-delay', '1s'],
      { AGGREGATOR_RETRY_COUNT: '8' },
    );
    expect(code).toBe(0);
    expect(stdout).toMatch(/^AGGREGATOR_RETRY_COUNT +8 +environment$/m);
    expect(stdout).toMatch(/^AGGREGATOR_RETRY_DELAY +1s +flag$/m);
    expect(stdout).toContain(`${path}:4`);
  });

  test('is overridden by any form of a variable in the environment', async () => {
    const path = await fileWith(`${FILE}AGGREGATOR_HTTP_TOKEN: 0123456789abcdef\n`);
    const token = await fileWith('fedcba9876543210');
    const { code, stderr } = await resultOf(['aggregator', '--check', '--config', path], {
      AGGREGATOR_HTTP_TOKEN_FILE: token,
    });
    expect([code, stderr]).toEqual([0, '']);
  });

  test('is rejected with all its problems and their lines', async () => {
    const path = await fileWith(
      'AGGREGATOR_RETRY_COUNT: many\nretry_delay: 1s\nAGGREGATOR_TEXT_CONFIGURATION: 1\n',
    );
    const { code, stderr } = await resultOf(['aggregator', '--check', '--config', path]);
    expect(code).toBe(78);
    expect(stderr).toContain(`${path}: line 2`);
    expect(stderr).toContain('did you mean AGGREGATOR_RETRY_DELAY?');
  });

  test('is rejected when it cannot be read', async () => {
    const { code, stderr } = await resultOf(['aggregator', '--check', '--config', '/nonexistent/a.yaml']);
    expect(code).toBe(78);
    expect(stderr).toContain('--config: cannot be read at /nonexistent/a.yaml');
  });

  test('causes a warning when every user can read a secret in it', async () => {
    const path = await fileWith(FILE, 0o644);
    const { stderr } = await resultOf(['aggregator', '--check', '--config', path]);
    expect(stderr).toContain(`chmod o-r ${path}`);
  });
});

describe('config', () => {
  test('show prints only the variables that are set, with their places', async () => {
    const path = await fileWith(FILE);
    const { code, stdout } = await resultOf(['config', 'show', 'aggregator', '--config', path]);
    expect(code).toBe(0);
    expect(stdout).toContain(`${path}:2`);
    expect(stdout).not.toContain('AGGREGATOR_WHEN_FULL');
    expect(stdout).not.toContain('is valid');
  });

  test('check prints whether the configuration is valid', async () => {
    const path = await fileWith(FILE);
    const { code, stdout } = await resultOf(['config', 'check', 'aggregator', '--config', path]);
    expect(code).toBe(0);
    expect(stdout).toContain('The configuration is valid');
    expect(stdout).not.toContain('AGGREGATOR_RETRY_COUNT');
  });

  test('check prints JSON and exits with 78 for an invalid one', async () => {
    const path = await fileWith('AGGREGATOR_RETRY_COUNT: many\nAGGREGATOR_TEXT_CONFIGURATION: 1\n');
    const { code, stdout } = await resultOf(['config', 'check', 'aggregator', '--config', path, '--json']);
    expect(code).toBe(78);
    expect(JSON.parse(stdout)).toMatchObject({
      ok: false,
      problems: [{ variable: 'AGGREGATOR_RETRY_COUNT' }],
    });
  });
});
