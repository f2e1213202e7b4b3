import { mkdir, writeFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { describe, expect, it, onTestFinished, vi } from 'vitest';
import { run } from '../../src/cli/run.ts';
import { services } from '../../src/cli/services.ts';
import { StateDirectory } from '../../src/storage/state/state-directory.ts';
import { capturedIo } from '../support/captured-io.ts';
import { inProcessPair } from '../support/in-process-pair.ts';
import { temporaryDirectory } from '../support/temporary-directory.ts';

const PATIENT = { timeout: 20_000, interval: 20 };

/** A state directory as a process of version 0.1.0 left it, as far as the choice looks at it. */
async function stateAt(path: string, role = 'collector'): Promise<string> {
  await mkdir(join(path, 'state'), { recursive: true });
  await writeFile(join(path, 'layout.json'), JSON.stringify({ role, version: 1 }));
  await writeFile(join(path, 'state/data.mdb'), '');
  return path;
}

async function hold(path: string): Promise<void> {
  const directory = await StateDirectory.acquire(path, { role: 'collector', layoutVersion: 1 });
  onTestFinished(() => directory.release());
}

/** The directory that a one-shot collector of this user would use. */
async function chosen(home: string, environment: Record<string, string> = {}): Promise<string> {
  const { io, stdout } = capturedIo({ environment: { XDG_STATE_HOME: home, ...environment } });
  const flags = ['--tail', import.meta.filename, '--once', '--check', '--json'];
  expect(await run(['collector', ...flags], io)).toBe(0);
  const { variables } = JSON.parse(stdout()) as { variables: { name: string; value: string }[] };
  return variables.find(({ name }) => name === 'COLLECTOR_STATE_DIRECTORY')?.value ?? '';
}

async function home() {
  const path = await temporaryDirectory();
  const directory = (name: string) => join(path, 'mega-collector', name);
  return { path, ordinary: directory('collector'), once: directory('once/collector') };
}

describe('the state of a one-shot collector', () => {
  it('is in its own directory on a new machine', async () => {
    const { path, once } = await home();
    expect(await chosen(path)).toBe(once);
  });

  it('is in the ordinary directory of an earlier version, if no process uses it', async () => {
    const { path, ordinary } = await home();
    await stateAt(ordinary);
    expect(await chosen(path)).toBe(ordinary);
  });

  it('is in its own directory while a process uses the ordinary one', async () => {
    const { path, ordinary, once } = await home();
    await stateAt(ordinary);
    await hold(ordinary);
    expect(await chosen(path)).toBe(once);
  });

  it('is in its own directory as soon as that exists', async () => {
    const { path, ordinary, once } = await home();
    await stateAt(ordinary);
    await stateAt(once);
    expect(await chosen(path)).toBe(once);
  });

  it('is in the configured directory', async () => {
    const { path, ordinary } = await home();
    await stateAt(ordinary);
    expect(await chosen(path, { COLLECTOR_STATE_DIRECTORY: '/srv/state' })).toBe('/srv/state');
  });
});

/** The command, with its state below `directory`, until it ends or the test has finished. */
function standalone(directory: string, path: string, environment: Record<string, string> = {}) {
  const captured = capturedIo({
    environment: {
      XDG_STATE_HOME: directory,
      COLLECTOR_HTTP_ADDRESS: '127.0.0.1:0',
      AGGREGATOR_HTTP_ADDRESS: '127.0.0.1:0',
      AGGREGATOR_MINIMUM_PUBLISH_FREQUENCY: '20ms',
      AGGREGATOR_TEXT_CONFIGURATION: '1',
      ...environment,
    },
    services,
  });
  const once = (): Promise<number> => run(['standalone', '--tail', path, '--once'], captured.io);
  const follow = () => {
    const ended = run(['standalone', '--tail', path], captured.io);
    const stop = async () => {
      captured.send('SIGTERM');
      await ended;
    };
    onTestFinished(stop);
    return stop;
  };
  return { ...captured, once, follow };
}

async function written(directory: string, name: string, text: string): Promise<string> {
  await writeFile(join(directory, name), text);
  return join(directory, name);
}

async function printed(directory: string, ...argv: string[]): Promise<string> {
  const { io, stdout, stderr } = capturedIo({ environment: { XDG_STATE_HOME: directory }, services });
  expect(await run(argv, io), stderr()).toBe(0);
  return stdout();
}

describe('the state of a one-shot standalone', () => {
  it('does not collide with a running standalone, and status and explain find it', async () => {
    const directory = await temporaryDirectory();
    const running = standalone(directory, await written(directory, 'a.log', 'followed\n'));
    running.follow();
    await vi.waitFor(() => expect(running.stdout()).toBe('followed\n'), PATIENT);
    const path = await written(directory, 'b.log', 'read once\n');
    const run = standalone(directory, path);
    expect(await run.once(), run.stderr()).toBe(0);
    expect(run.stdout()).toBe('read once\n');

    const status = (await printed(directory, 'status', '--json')).trim().split('\n');
    expect(status.map((line) => JSON.parse(line).stateDirectory)).toEqual(
      [
        'standalone/collector',
        'once/standalone/collector',
        'standalone/aggregator',
        'once/standalone/aggregator',
      ].map((name) => join(directory, 'mega-collector', name)),
    );
    expect(await printed(directory, 'explain', path)).toMatch(/^accepted +10 bytes$/m);
  });

  it('is in the ordinary directory of a stopped standalone of an earlier version', async () => {
    const directory = await temporaryDirectory();
    const path = await written(directory, 'a.log', 'old\n');
    const earlier = standalone(directory, path);
    const stop = earlier.follow();
    await vi.waitFor(() => expect(earlier.stdout()).toBe('old\n'), PATIENT);
    await stop();
    await writeFile(path, 'old\nnew\n');
    const again = standalone(directory, path);
    expect(await again.once(), again.stderr()).toBe(0);
    expect(again.stdout()).toBe('new\n');
  });
});

describe('a one-shot run', () => {
  it('serves no HTTP and succeeds while other programs listen on its addresses', async () => {
    const [collectorHttp, aggregatorHttp] = [await listening(), await listening()];
    const addresses = { COLLECTOR_HTTP_ADDRESS: collectorHttp, AGGREGATOR_HTTP_ADDRESS: aggregatorHttp };
    const directory = await temporaryDirectory();
    const both = standalone(directory, await written(directory, 'a.log', 'x\n'), addresses);
    expect(await both.once(), both.stderr()).toBe(0);

    const pair = await inProcessPair(directory);
    await (await pair.createAggregator()).start();
    const { io, stderr } = capturedIo({
      environment: { ...pair.collectorEnvironment, ...addresses },
      services,
    });
    const flags = ['--tail', join(directory, 'a.log'), '--once'];
    expect(await run(['collector', ...flags], io), stderr()).toBe(0);
  });
});

/** The address of a server that occupies it. */
async function listening(): Promise<string> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  onTestFinished(() => void server.close());
  return `127.0.0.1:${(server.address() as AddressInfo).port}`;
}
