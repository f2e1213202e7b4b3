import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { copyFile, mkdir, mkdtemp, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from 'vitest';
import { type LoadedCode, readLoadedCode, recordingLoads } from '../support/loaded-code.ts';
import { temporaryDirectory } from '../support/temporary-directory.ts';

/** What only a process of its own can show; everything else is tested in process. */

/** A build on a busy machine. */
const BUILD_MS = 240_000;
let directory = '';
const entry = () => join(directory, 'dist/bin/mega-collector.js');
/** As it is before the bundler replaces it. */
const unbundledEntry = () => join(directory, 'dist/bin/unbundled.js');

beforeAll(async () => {
  // Within the checkout, so that the packages are found.
  await mkdir('.tmp', { recursive: true });
  directory = await mkdtemp(join(process.cwd(), '.tmp/built-binary-'));
  await copyFile('package.json', join(directory, 'package.json'));
  await symlink(join(process.cwd(), 'proto'), join(directory, 'proto'));
  spawnSync('node_modules/.bin/tsc', ['-p', 'tsconfig.build.json', '--outDir', join(directory, 'dist')]);
  await copyFile(entry(), unbundledEntry());
  spawnSync('node_modules/.bin/rolldown', ['--config'], {
    env: { ...process.env, DIST: join(directory, 'dist') },
  });
}, BUILD_MS);

afterAll(() => rm(directory, { recursive: true, force: true }));

async function ended(
  argv: readonly string[],
  env: Record<string, string> = {},
  afterStart: (child: ChildProcess) => void = () => {},
) {
  const child = spawn(process.execPath, [entry(), ...argv], {
    env: { PATH: process.env.PATH, HOME: tmpdir(), ...env },
  });
  onTestFinished(() => void child.kill('SIGKILL'));
  let stdout = '';
  let stderr = '';
  child.stdout.on('data', (chunk) => (stdout += String(chunk)));
  child.stderr.on('data', (chunk) => (stderr += String(chunk)));
  afterStart(child);
  const code = await new Promise((resolve) => child.once('close', resolve));
  return { code, stdout, stderr };
}

test('--version prints the version of package.json', async () => {
  expect(await ended(['--version'])).toEqual({
    code: 0,
    stdout: expect.stringMatching(/^\d+\.\d+\.\d+\n$/),
    stderr: '',
  });
});

test('--help loads few files, and neither the schemas nor gRPC', () => {
  const loaded = (script: string) => {
    const env = { ...process.env, NODE_DEBUG: 'esm' };
    const { stderr, stdout } = spawnSync(process.execPath, [script, '--help'], { env, encoding: 'utf8' });
    expect(stdout).toContain('Usage: mega-collector');
    return new Set(stderr.match(/file:[^\s'"]*dist\/[^\s'"]*\.js/g));
  };
  const bundled = loaded(entry());
  expect(bundled.size).toBeGreaterThan(1);
  expect(bundled.size).toBeLessThan(25);
  expect([...bundled].filter((path) => /schemas|grpc|registry/.test(path))).toEqual([]);
});

describe('a start loads only what it needs:', () => {
  /** Libraries of emitters, stores, filters and commands that few processes use. */
  const RARELY_USED = [
    ...[
      '@clickhouse/client',
      '@duckdb/node-api',
      '@duckdb/node-bindings',
      '@pagerduty/pdjs',
      '@peculiar/x509',
    ],
    ...[
      'amqplib',
      'bowser',
      'iconv-lite',
      'maxmind',
      'pg',
      'pino-pretty',
      'rabbitmq-stream-js-client',
      're2js',
    ],
    'yaml',
  ];
  const KB = 1000;

  async function loadedBy(
    argv: readonly string[],
    env: Record<string, string> = {},
    ready?: string,
  ): Promise<LoadedCode> {
    const log = join(await temporaryDirectory(), 'loaded');
    const { stderr } = await ended(argv, { ...env, ...recordingLoads(log) }, (child) => {
      let logs = '';
      child.stderr?.on('data', (chunk) => {
        logs += String(chunk);
        if (ready !== undefined && logs.includes(ready)) child.kill('SIGTERM');
      });
    });
    if (ready !== undefined) expect(stderr).toContain(ready);
    return readLoadedCode(log);
  }

  function rarelyUsedIn({ packages }: LoadedCode): readonly string[] {
    return RARELY_USED.filter((name) => packages.has(name));
  }

  test('--help', async () => {
    const loaded = await loadedBy(['--help']);
    expect([...loaded.packages]).toEqual(['commander']);
    expect(loaded.bytes).toBeGreaterThan(0);
    expect(loaded.bytes).toBeLessThan(150 * KB);
  });

  test('monitor', async () => {
    const loaded = await loadedBy(['monitor']);
    expect([...loaded.packages].sort()).toEqual(['commander', 'zod']);
    expect(loaded.bytes).toBeLessThan(650 * KB);
  });

  test('an aggregator without a store', async () => {
    const state = await temporaryDirectory();
    const env = {
      AGGREGATOR_STATE_DIRECTORY: state,
      AGGREGATOR_LISTEN_ADDRESS: '127.0.0.1:0',
      AGGREGATOR_HTTP_ADDRESS: '127.0.0.1:0',
      AGGREGATOR_TEXT_CONFIGURATION: '1',
    };
    const loaded = await loadedBy(['aggregator'], env, 'Serving metrics and health');
    expect(loaded.packages).toContain('lmdb');
    expect(rarelyUsedIn(loaded)).toEqual([]);
    expect([...loaded.packages].filter((name) => name.includes('grpc'))).toEqual([]);
    expect(loaded.bytes).toBeLessThan(2600 * KB);
  });

  test('a collector of files', async () => {
    const directory = await temporaryDirectory();
    const env = {
      COLLECTOR_STATE_DIRECTORY: join(directory, 'state'),
      COLLECTOR_HTTP_ADDRESS: '127.0.0.1:0',
      COLLECTOR_AGGREGATOR_ADDRESS: '127.0.0.1:9',
      COLLECTOR_TAIL: join(directory, '*.log'),
    };
    const loaded = await loadedBy(['collector'], env, 'Serving metrics and health');
    expect(loaded.packages).toContain('lmdb');
    expect(rarelyUsedIn(loaded)).toEqual([]);
    expect([...loaded.packages].filter((name) => name.startsWith('@grpc/'))).toEqual([]);
    expect(loaded.bytes).toBeLessThan(2400 * KB);
  });
});

test('the compiled entry runs without the bundle', () => {
  const { status, stdout } = spawnSync(process.execPath, [unbundledEntry(), '--version'], {
    encoding: 'utf8',
  });
  expect(status).toBe(0);
  expect(stdout).toMatch(/^\d+\.\d+\.\d+\n$/);
});

test('the process exits with the exit code of the command', async () => {
  expect((await ended(['nonsense'])).code).toBe(2);
  expect((await ended(['aggregator', '--max-batch-size', '0', '--check'])).code).toBe(78);
  expect((await ended(['status', '--state-directory', '/missing'])).code).toBe(1);
});

test('a closed standard output is not an error', async () => {
  const { code, stderr } = await ended(['aggregator', '--help'], {}, (child) => child.stdout?.destroy());
  expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
});

test('an aggregator starts, answers a command, logs to stderr, and exits with 0 on SIGTERM', async () => {
  const state = await temporaryDirectory();
  const env = {
    AGGREGATOR_STATE_DIRECTORY: state,
    AGGREGATOR_LISTEN_ADDRESS: '127.0.0.1:0',
    AGGREGATOR_HTTP_ADDRESS: '127.0.0.1:0',
    AGGREGATOR_TEXT_CONFIGURATION: '1',
  };
  const status = async () =>
    JSON.parse((await ended(['status', '--json', '--state-directory', state])).stdout);
  let child: ChildProcess | undefined;
  let logs = '';
  const service = ended(['aggregator'], env, (started) => {
    child = started;
    started.stderr?.on('data', (chunk) => (logs += String(chunk)));
  });
  await expect.poll(() => logs, { timeout: 20_000 }).toContain('Serving metrics and health');
  expect(await status()).toMatchObject({
    role: 'aggregator',
    running: true,
    accepted: { records: 0, bytes: 0 },
  });
  child?.kill('SIGTERM');
  const { code, stdout, stderr } = await service;
  expect({ code, stdout }, stderr).toEqual({ code: 0, stdout: '' });
  const lines = stderr
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line).msg as string);
  expect(lines.at(-1)).toBe('Stopped');
  expect(await status()).toMatchObject({ role: 'aggregator', running: false });
});

/** A module for --import that sends the process a signal while it loads its commands. */
async function signalWhileLoading(signal: string): Promise<string> {
  const scripts = await temporaryDirectory();
  await writeFile(
    join(scripts, 'hook.mjs'),
    `export async function resolve(specifier, context, next) {
       if (/\\/main[^/]*\\.js$/.test(specifier)) {
         process.kill(process.pid, '${signal}');
         await new Promise((resolve) => setTimeout(resolve, 50));
       }
       return next(specifier, context);
     }`,
  );
  const path = join(scripts, 'register.mjs');
  await writeFile(path, `import { register } from 'node:module'; register('./hook.mjs', import.meta.url);`);
  return path;
}

async function loading(signal: string, flags: readonly string[], afterStart?: (child: ChildProcess) => void) {
  const state = await temporaryDirectory();
  const log = join(await temporaryDirectory(), 'a.log');
  await writeFile(log, 'a line\n');
  const env = {
    COLLECTOR_STATE_DIRECTORY: state,
    COLLECTOR_HTTP_ADDRESS: '127.0.0.1:0',
    COLLECTOR_TAIL: log,
    NODE_OPTIONS: `--import ${await signalWhileLoading(signal)}`,
  };
  return ended(['collector', ...flags], env, afterStart);
}

test.each(['SIGTERM', 'SIGINT'])(
  '%s while modules load ends a service cleanly, without a start',
  async (signal) => {
    const { code, stderr } = await loading(signal, []);
    expect(code, stderr).toBe(0);
    const messages = stderr
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line).msg as string);
    expect(messages).toEqual(['Received a signal; stopping', 'Stopped']);
  },
);

test('SIGTERM while modules load makes a one-shot run fail', async () => {
  expect((await loading('SIGTERM', ['--once'])).code).toBe(1);
});

test('SIGHUP while modules load changes nothing', async () => {
  const { code, stderr } = await loading('SIGHUP', [], (child) => {
    child.stderr?.on('data', (chunk) => {
      if (String(chunk).includes('Serving metrics and health')) child.kill('SIGTERM');
    });
  });
  expect(code, stderr).toBe(0);
  expect(stderr).toContain('Serving metrics and health');
});

test.each([['-V'], ['version'], ['--version']])('%s prints the version', async (word) => {
  expect(await ended([word])).toEqual({
    code: 0,
    stdout: expect.stringMatching(/^\d+\.\d+\.\d+\n$/),
    stderr: '',
  });
});

test('help prints the help of the program, or of a named command', async () => {
  const { stdout, code } = await ended(['help']);
  expect({ stdout, code }).toEqual({ stdout: expect.stringContaining('Usage: mega-collector'), code: 0 });
  expect((await ended(['help', 'monitor', 'logs'])).stdout).toContain('Usage: mega-collector monitor logs');
});
