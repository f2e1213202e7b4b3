import { chmod, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { run } from '../../../src/cli/run.ts';
import { freePort } from '../../../testkit/free-ports.ts';
import { asUnprivileged } from '../../support/as-unprivileged.ts';
import { capturedIo } from '../../support/captured-io.ts';
import { inProcessPair } from '../../support/in-process-pair.ts';
import { LogplexEndpoint } from '../../support/logplex-endpoint.ts';
import { StreamReceiver } from '../../support/stream-receiver.ts';
import { temporaryDirectory } from '../../support/temporary-directory.ts';

type Environment = Readonly<Record<string, string>>;

async function check(role: string, environment: Environment, ...flags: string[]) {
  const { io, stdout, stderr } = capturedIo({ environment });
  const exitCode = await run([role, '--check', '--connect', ...flags], io);
  return { exitCode, stdout: stdout(), stderr: stderr() };
}

/** The lines of --connect. */
const lines = ({ stdout }: { readonly stdout: string }) =>
  stdout.split('\n').flatMap((line) => {
    const [, state, text] = /^(ok|failed) {2,}(\S.*)$/.exec(line) ?? [];
    return state === undefined ? [] : [`${state.padEnd(8)}${text}`];
  });

async function readable(): Promise<{ readonly directory: string; readonly path: string }> {
  const directory = await temporaryDirectory();
  const path = join(directory, 'a.log');
  await writeFile(path, 'x\n');
  return { directory, path };
}

describe('--check --connect of a collector', () => {
  it('prints a line for each file, directory and aggregator that works', async () => {
    const { directory, path } = await readable();
    const pair = await inProcessPair(directory);
    await (await pair.createAggregator()).start();
    const result = await check('collector', { ...pair.collectorEnvironment, COLLECTOR_TAIL: path });
    const address = pair.collectorEnvironment.COLLECTOR_AGGREGATOR_ADDRESS;
    expect(lines(result)).toEqual([
      `ok      ${path}`,
      `ok      the state directory ${pair.collectorState}`,
      `ok      the aggregator ${address}`,
    ]);
    expect(result.exitCode).toBe(0);
    expect(result.stdout).toContain('The configuration is valid.');
  });

  it('fails with the reason and the remedy for each failed target, and tries the others', async () => {
    const { directory, path } = await readable();
    await writeFile(join(directory, 'secret.log'), 'x\n');
    await chmod(directory, 0o755);
    await chmod(join(directory, 'secret.log'), 0);
    const address = `127.0.0.1:${await freePort()}`;
    const environment = {
      COLLECTOR_TAIL: `${directory}/*.log,${directory}/none/*.txt`,
      COLLECTOR_STATE_DIRECTORY: join(path, 'state'),
      COLLECTOR_AGGREGATOR_ADDRESS: address,
    };
    const result = await asUnprivileged(() => check('collector', environment));
    expect(result.exitCode).toBe(1);
    const [ok, secret, none, state, aggregator] = lines(result);
    expect(ok).toBe(`ok      ${path}`);
    expect(secret).toMatch(
      /^failed {2}.*secret\.log: .*permission \(EACCES\)\. Give the user read permission/,
    );
    expect(none).toMatch(/^failed {2}.*none\/\*\.txt: .* matches no file\. Check the path/);
    expect(state).toMatch(/^failed {2}the state directory .*\(ENOTDIR\)\. Check the path/);
    expect(aggregator).toMatch(
      new RegExp(`^failed  the aggregator ${address}: .*\\(connection refused\\)\\. Start the aggregator`),
    );
  });

  it('prints the same as JSON with --json', async () => {
    const { directory, path } = await readable();
    const address = `127.0.0.1:${await freePort()}`;
    const environment = {
      COLLECTOR_TAIL: path,
      COLLECTOR_STATE_DIRECTORY: join(directory, 'state'),
      COLLECTOR_AGGREGATOR_ADDRESS: address,
    };
    const { exitCode, stdout } = await check('collector', environment, '--json');
    expect(exitCode).toBe(1);
    expect(JSON.parse(stdout)).toMatchObject({
      ok: false,
      connections: [
        { target: path, ok: true },
        { target: `the state directory ${directory}/state`, ok: true },
        {
          target: `the aggregator ${address}`,
          ok: false,
          reason: expect.stringContaining('connection refused'),
          remedy: expect.stringContaining('Start the aggregator'),
        },
      ],
    });
  });

  it('is wrong usage without --check', async () => {
    const { io, stderr } = capturedIo({ environment: { COLLECTOR_TAIL: '/a', HOME: '/h' } });
    expect(await run(['collector', '--connect'], io)).toBe(2);
    expect(stderr()).toContain('--connect requires --check');
  });
});

describe('--check --connect of an aggregator', () => {
  it('tries the destination of each emitter without sending anything', async () => {
    const { directory } = await readable();
    const gelf = await StreamReceiver.start();
    const logplex = await LogplexEndpoint.start();
    const closed = await freePort();
    const environment = {
      AGGREGATOR_STATE_DIRECTORY: join(directory, 'state'),
      AGGREGATOR_FILE_CONFIGURATION: JSON.stringify({ path: join(directory, 'out/{host.name}.log') }),
      AGGREGATOR_DUCKDB_CONFIGURATION: '1',
      AGGREGATOR_GELF_CONFIGURATION: JSON.stringify([
        { name: 'gelf', address: `tcp://127.0.0.1:${gelf.port}` },
        { name: 'closed', address: `tcp://127.0.0.1:${closed}` },
        { name: 'datagrams', address: 'udp://localhost:9' },
      ]),
      AGGREGATOR_LOGPLEX_CONFIGURATION: JSON.stringify([
        { name: 'plain', url: `http://token:t.test@127.0.0.1:${logplex.port}/logs` },
        { name: 'encrypted', url: `https://token:t.test@127.0.0.1:${logplex.port}/logs` },
      ]),
    };
    const result = await check('aggregator', environment);
    expect(result.exitCode).toBe(1);
    expect(lines(result)).toEqual([
      `ok      the state directory ${directory}/state`,
      `ok      the database file ${directory}/state/duckdb/duckdb/logs.duckdb (emitter duckdb)`,
      `ok      the file ${directory}/out/{host.name}.log (emitter file)`,
      `ok      GELF tcp://127.0.0.1:${gelf.port} (emitter gelf)`,
      expect.stringMatching(
        new RegExp(
          `^failed  GELF tcp://127.0.0.1:${closed} \\(emitter closed\\): .*refused\\)\\. Start the receiver`,
        ),
      ),
      'ok      GELF udp://localhost:9 (emitter datagrams)',
      `ok      logplex http://127.0.0.1:${logplex.port} (emitter plain)`,
      expect.stringMatching(
        /^failed {2}logplex https:.*\(emitter encrypted\): .*TLS.*\. Use the address without TLS/,
      ),
    ]);
    expect(gelf.received).toHaveLength(0);
    expect(logplex.requests).toEqual([]);
    expect(result.stdout).not.toContain('t.test');
  });
});

describe('--check --connect of a standalone', () => {
  it('tries both halves, and no address between them', async () => {
    const { directory, path } = await readable();
    const environment = {
      COLLECTOR_TAIL: path,
      XDG_STATE_HOME: directory,
      AGGREGATOR_TEXT_CONFIGURATION: '1',
    };
    const result = await check('standalone', environment);
    expect(lines(result)).toEqual([
      `ok      ${path}`,
      `ok      the state directory ${directory}/mega-collector/standalone/collector`,
      `ok      the state directory ${directory}/mega-collector/standalone/aggregator`,
    ]);
    expect(result.exitCode).toBe(0);
  });
});
