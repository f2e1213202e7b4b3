import { link, mkdir, open, symlink, writeFile } from 'node:fs/promises';
import { hostname } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import { run } from '../../../src/cli/run.ts';
import { capturedIo } from '../../support/captured-io.ts';
import { temporaryDirectory } from '../../support/temporary-directory.ts';

type Environment = Readonly<Record<string, string>>;

const file = (configuration: object): Environment => ({
  AGGREGATOR_FILE_CONFIGURATION: JSON.stringify(configuration),
});

/** Neither starts a half: the check is before that. `fd`: of a file to which standard output is redirected. */
async function started(directory: string, environment: Environment, fd?: number) {
  let created = 0;
  const { io, stderr } = capturedIo({
    environment: { XDG_STATE_HOME: join(directory, 'state'), ...environment },
    services: {
      createStandalone: async () => {
        created++;
        throw new Error('the configuration was accepted');
      },
    },
  });
  const stdout = fd === undefined ? io.stdout : Object.assign(io.stdout, { fd });
  const exitCode = await run(['standalone'], { ...io, stdout });
  return { exitCode, created, stderr: stderr() };
}

async function logs(): Promise<string> {
  const directory = await temporaryDirectory();
  await mkdir(join(directory, 'logs'));
  await writeFile(join(directory, 'logs/a.log'), 'x\n');
  return directory;
}

describe('an output that the tail of the same process would read', () => {
  it('is rejected with the emitter, the path and the remedy', async () => {
    const directory = await logs();
    const path = join(directory, 'logs/all.log');
    const tail = { COLLECTOR_TAIL: `${directory}/logs/*.log` };
    const { exitCode, created, stderr } = await started(directory, {
      ...tail,
      ...file({ path, name: 'all' }),
    });
    expect({ exitCode, created }).toEqual({ exitCode: 78, created: 0 });
    expect(stderr).toContain(`AGGREGATOR_FILE_CONFIGURATION: the emitter "all" writes to ${path}`);
    expect(stderr).toContain('each record would be read again, without end. Write to another directory');
  });

  it('is rejected in an upload directory, where it would also be deleted', async () => {
    const directory = await logs();
    const path = join(directory, 'logs/all.out');
    const harvest = {
      COLLECTOR_HARVEST: JSON.stringify([{ path: join(directory, 'logs'), after: 'delete' }]),
    };
    const { exitCode, created, stderr } = await started(directory, { ...harvest, ...file({ path }) });
    expect({ exitCode, created }).toEqual({ exitCode: 78, created: 0 });
    expect(stderr).toContain(`writes to ${path}, which the collector reads`);
    const beside = file({ path: join(directory, 'all.out') });
    expect((await started(directory, { ...harvest, ...beside })).created).toBe(1);
  });

  it('is rejected by --check, also as JSON', async () => {
    const directory = await logs();
    const environment = {
      HOME: directory,
      COLLECTOR_TAIL: `${directory}/logs/*.log`,
      ...file({ path: join(directory, 'logs/all.log') }),
    };
    const { io, stdout } = capturedIo({ environment });
    expect(await run(['standalone', '--check', '--json'], io)).toBe(78);
    expect(JSON.parse(stdout())).toMatchObject({
      ok: false,
      problems: [{ variable: 'AGGREGATOR_FILE_CONFIGURATION' }],
    });
  });

  it.each([
    [
      'a placeholder that expands to a matching name',
      { path: 'logs/{host.name}.log' },
      `logs/${hostname()}.log`,
    ],
    ['a placeholder of the entry', { path: 'logs/{service.name}.log' }, 'logs/web.log'],
    ['the name that a rotation makes', { path: 'logs/all', rotate_bytes: '1MiB' }, 'logs/all.*'],
    ['a directory that is a link', { path: 'link/all.log' }, 'logs/*.log'],
  ])('is rejected for %s', async (_, { path, ...options }, glob) => {
    const directory = await logs();
    await symlink(join(directory, 'logs'), join(directory, 'link'));
    const entry = { paths: [`${directory}/${glob}`], resource: { 'service.name': 'web' } };
    const { exitCode } = await started(directory, {
      COLLECTOR_TAIL_CONFIGURATION: JSON.stringify([entry]),
      ...file({ path: join(directory, path), ...options }),
    });
    expect(exitCode).toBe(78);
  });

  it('is rejected for a link with another name to the same file', async () => {
    const directory = await logs();
    await link(join(directory, 'logs/a.log'), join(directory, 'all.txt'));
    const { exitCode, stderr } = await started(directory, {
      COLLECTOR_TAIL: `${directory}/logs/*.log`,
      ...file({ path: join(directory, 'all.txt') }),
    });
    expect(exitCode).toBe(78);
    expect(stderr).toContain(`which the collector reads as ${directory}/logs/a.log`);
  });

  it('is rejected for the database of the store', async () => {
    const directory = await logs();
    const environment = { COLLECTOR_TAIL: `${directory}/**`, AGGREGATOR_DUCKDB_CONFIGURATION: '1' };
    const { exitCode, stderr } = await started(directory, environment);
    expect(exitCode).toBe(78);
    expect(stderr).toContain('AGGREGATOR_DUCKDB_CONFIGURATION: the emitter "duckdb" writes to');
  });

  it('is rejected for a redirected standard output', async () => {
    const directory = await logs();
    const output = await open(join(directory, 'logs/out.log'), 'w');
    onTestFinished(() => output.close());
    const environment = { COLLECTOR_TAIL: `${directory}/logs/*.log`, AGGREGATOR_TEXT_CONFIGURATION: '1' };
    const { exitCode, stderr } = await started(directory, environment, output.fd);
    expect(exitCode).toBe(78);
    expect(stderr).toContain(
      `writes to standard output, which the collector reads as ${directory}/logs/out.log`,
    );
  });
});

describe('an output is accepted', () => {
  const accepted = async (directory: string, environment: Environment, fd?: number) => {
    const { stderr, created } = await started(directory, environment, fd);
    expect(stderr).toContain('the configuration was accepted');
    expect(created).toBe(1);
  };

  it('in another directory, with standard output in a file that no pattern matches', async () => {
    const directory = await logs();
    const output = await open(join(directory, 'out.txt'), 'w');
    onTestFinished(() => output.close());
    const path = join(directory, 'all.log');
    const environment = { COLLECTOR_TAIL: `${directory}/logs/*.log`, AGGREGATOR_TEXT_CONFIGURATION: '1' };
    await accepted(directory, { ...environment, ...file({ path }) }, output.fd);
  });

  it('when the tail excludes it', async () => {
    const directory = await logs();
    const entry = { paths: [`${directory}/logs/*.log`], exclude: ['all.log'] };
    await accepted(directory, {
      COLLECTOR_TAIL_CONFIGURATION: JSON.stringify([entry]),
      ...file({ path: join(directory, 'logs/all.log') }),
    });
  });
});
