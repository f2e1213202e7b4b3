import { appendFile, mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it, onTestFinished, vi } from 'vitest';
import { run } from '../../../src/cli/run.ts';
import { services } from '../../../src/cli/services.ts';
import { freePort } from '../../../testkit/free-ports.ts';
import { capturedIo } from '../../support/captured-io.ts';
import { lines } from '../../support/record-batches.ts';
import { temporaryDirectory } from '../../support/temporary-directory.ts';

const PATIENT = { timeout: 20_000, interval: 20 };

/** The command, with its state below `directory`, until it ends or the test has finished. */
function standalone(directory: string, argv: readonly string[]) {
  const environment = {
    XDG_STATE_HOME: directory,
    COLLECTOR_HTTP_ADDRESS: '127.0.0.1:0',
    AGGREGATOR_HTTP_ADDRESS: '127.0.0.1:0',
    AGGREGATOR_MINIMUM_PUBLISH_FREQUENCY: '20ms',
    // The store that would be there as well needs the built product: test/monitored-pair.test.ts.
    AGGREGATOR_TEXT_CONFIGURATION: '1',
  };
  const captured = capturedIo({ environment, services });
  const ended = run(['standalone', ...argv], captured.io);
  onTestFinished(async () => {
    captured.send('SIGTERM');
    await ended;
  });
  return { ...captured, ended, environment };
}

async function status(environment: Record<string, string>): Promise<Record<string, unknown>[]> {
  const { io, stdout } = capturedIo({ environment, services });
  await run(['status', '--json', '--verbose'], io);
  return stdout()
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line));
}

describe('a standalone', () => {
  it('prints the records of a file, and continues at the last position after a restart', async () => {
    const directory = await temporaryDirectory();
    const path = join(directory, 'a.log');
    const [first, second] = [lines(100, 'one').join(''), lines(100, 'two').join('')];
    await writeFile(path, first);
    const one = standalone(directory, ['--tail', path]);
    await vi.waitFor(() => expect(one.stdout()).toBe(first), PATIENT);
    one.send('SIGTERM');
    expect(await one.ended).toBe(0);

    await appendFile(path, second);
    const two = standalone(directory, ['--tail', path]);
    await vi.waitFor(() => expect(two.stdout()).toBe(second), PATIENT);
  });

  it('ends a one-shot run after everything is printed', async () => {
    const directory = await temporaryDirectory();
    const path = join(directory, 'a.log');
    const text = lines(20_000).join('');
    await writeFile(path, text);
    const { ended, stdout } = standalone(directory, ['--tail', path, '--once']);
    expect(await ended).toBe(0);
    expect(stdout()).toBe(text);
  });

  it('ends a one-shot run with an error when a destination refuses and the records are held', async () => {
    const directory = await temporaryDirectory();
    const path = join(directory, 'a.log');
    await writeFile(path, lines(3).join(''));
    const port = await freePort();
    const { ended, stderr } = standalone(directory, [
      ...['--tail', path, '--once', '--after-retries', 'hold', '--retry-count', '1', '--retry-delay', '1ms'],
      ...['--aggregator-timeout', '300ms', '--aggregator-shutdown-timeout', '1s'],
      ...['--gelf-configuration', JSON.stringify({ address: `tcp://127.0.0.1:${port}` })],
    ]);
    expect(await ended).toBe(1);
    expect(stderr()).toContain('Cannot deliver 3 queued records: no progress within');
    expect(stderr()).toContain('emitter gelf');
  });

  it('shows the status of both halves, running and not, and explains a file', async () => {
    const directory = await temporaryDirectory();
    const path = join(directory, 'a.log');
    await writeFile(path, lines(10).join(''));
    const { environment, send, ended, stdout } = standalone(directory, ['--tail', path]);
    await vi.waitFor(() => expect(stdout()).not.toBe(''), PATIENT);
    const halves = (running: boolean) => [
      { role: 'collector', running, unread: 0, streams: [{ source: path }] },
      { role: 'aggregator', running, accepted: { records: 10 }, emitters: [{ emitter: 'text' }] },
    ];
    await vi.waitFor(async () => expect(await status(environment)).toMatchObject(halves(true)), PATIENT);
    const explain = capturedIo({ environment, services });
    expect(await run(['explain', path], explain.io)).toBe(0);
    expect(explain.stdout()).toContain(path);
    send('SIGTERM');
    await ended;
    expect(await status(environment)).toMatchObject(halves(false));
  });

  it('runs in a directory with a path too long for a socket, and replaces the socket of a killed process', async () => {
    const directory = join(await temporaryDirectory(), 'long'.repeat(30));
    const state = join(directory, 'mega-collector/standalone/aggregator');
    await mkdir(state, { recursive: true });
    await writeFile(join(state, 'standalone.sock'), '');
    const path = join(directory, 'a.log');
    await writeFile(path, 'line\n');
    const { ended, stdout } = standalone(directory, ['--tail', path, '--once']);
    expect(await ended).toBe(0);
    expect(stdout()).toBe('line\n');
  });

  it('ends with 78 when the serve database cannot be used', async () => {
    const directory = await temporaryDirectory();
    const { ended, stderr } = standalone(directory, ['--serve-db-dir', join(directory, 'missing')]);
    expect(await ended).toBe(78);
    expect(stderr()).toMatch(/SERVE_DB_DIR: .*ENOENT/);
  });

  it('requires --state-directory when a command could mean one of two aggregators', async () => {
    const directory = await temporaryDirectory();
    for (const place of ['aggregator', 'standalone/aggregator'])
      await mkdir(join(directory, 'mega-collector', place), { recursive: true });
    const { io, stderr } = capturedIo({ environment: { XDG_STATE_HOME: directory }, services });
    expect(await run(['emitters', 'list'], io)).toBe(1);
    expect(stderr()).toMatch(/[Ss]everal.*--state-directory.*standalone\/aggregator/s);
  });
});
