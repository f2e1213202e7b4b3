import { execFileSync } from 'node:child_process';
import { rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { Registry } from 'prom-client';
import { describe, expect, it, onTestFinished } from 'vitest';
import { AggregatorFilters, checkedFilters } from '../../../src/aggregator/filters/aggregator-filters.ts';
import type { FilterSource } from '../../../src/emitters/filtering/filter-source.ts';
import { capturedLogger } from '../../support/captured-logger.ts';
import { FakeClock } from '../../support/fake-clock.ts';
import { temporaryDirectory } from '../../support/temporary-directory.ts';

const emitter = (name: string, filter?: string) => ({
  name,
  type: { variable: 'AGGREGATOR_FILE_CONFIGURATION' },
  ...(filter !== undefined && { filter }),
});

async function filterDirectory(files: Readonly<Record<string, string>>) {
  const directory = await temporaryDirectory();
  const write = (name: string, text: string) => writeFile(join(directory, `${name}.filter`), text);
  for (const [name, text] of Object.entries(files)) await write(name, text);
  return { directory, write };
}

describe('the filters of a configuration', () => {
  const check = async (files: Record<string, string>, ...emitters: ReturnType<typeof emitter>[]) => {
    const { directory } = await filterDirectory(files);
    const chosen = await checkedFilters({ directory, geoip: undefined, emitters });
    return Object.fromEntries([...chosen].map(([name, source]) => [name, source?.name]));
  };

  it('are chosen by name, else the default, if there is one', async () => {
    const files = { web: 'drop', default: 'drop' };
    expect(await check(files, emitter('a', 'web'), emitter('b'), emitter('c', 'none'))).toEqual({
      a: 'web',
      b: 'default',
      c: undefined,
    });
    expect(await check({ web: 'drop' }, emitter('b'))).toEqual({ b: undefined });
  });

  it('are rejected with the nearest name', async () => {
    await expect(check({ web: 'drop' }, emitter('a', 'wev'))).rejects.toThrow('did you mean "web"?');
  });

  it('are rejected with line and column', async () => {
    await expect(check({ default: 'drop\ndrop if body == ' }, emitter('a'))).rejects.toThrow(
      /default\.filter:2:\d+: /,
    );
  });

  it('are rejected if they route to an emitter that is not configured', async () => {
    const files = { default: 'route("stor")' };
    await expect(check(files, emitter('store'))).rejects.toThrow('did you mean "store"?');
  });
});

describe('a changed filter', () => {
  async function opened(files: Record<string, string>) {
    const { directory, write } = await filterDirectory(files);
    const { logger, lines } = capturedLogger();
    const emitters = [emitter('file')];
    const deps = { clock: new FakeClock(), logger, metrics: new Registry() };
    const filters = await AggregatorFilters.open({ directory, geoip: undefined, emitters, ...deps });
    const used: (string | undefined)[] = [];
    await filters.start(async (_name, source: FilterSource | undefined) => void used.push(source?.text));
    onTestFinished(() => filters.stop());
    return { directory, filters, write, lines, used };
  }

  it('is used', async () => {
    const { filters, write, used } = await opened({ default: 'drop' });
    await write('default', 'stop');
    await filters.reload();
    await filters.reload();
    expect(used).toEqual(['stop']);
    expect(filters.statuses()).toMatchObject([{ emitter: 'file', filter: 'default', state: 'active' }]);
  });

  it('is not used if it is invalid: the earlier one stays in use, which the log and the status report', async () => {
    const { filters, write, used, lines } = await opened({ default: 'drop' });
    await write('default', 'drop if');
    await filters.reload();
    await filters.reload();
    expect(used).toEqual([]);
    expect(filters.sourceOf('file')?.text).toBe('drop');
    expect(filters.statuses()).toMatchObject([{ state: 'broken', filter: 'default' }]);
    expect(filters.statuses()[0]?.problems[0]).toMatch(/default\.filter:1:\d+: /);
    expect(lines.filter(({ level }) => level === 50)).toHaveLength(1);

    await write('default', 'stop');
    await filters.reload();
    expect(used).toEqual(['stop']);
    expect(filters.statuses()).toMatchObject([{ state: 'active', problems: [] }]);
  });

  it('is not used if it is a pipe: the status shows the reason, and the next change is used', async () => {
    const { directory, filters, write, used } = await opened({ default: 'drop' });
    const path = join(directory, 'default.filter');
    await rm(path);
    execFileSync('mkfifo', [path]);
    await filters.reload();
    expect(filters.statuses()).toMatchObject([
      { filter: 'default', state: 'broken', problems: [expect.stringContaining('not a regular file')] },
    ]);
    await rm(path);
    await write('default', 'stop');
    await filters.reload();
    expect(used.at(-1)).toBe('stop');
    expect(filters.statuses()).toMatchObject([{ state: 'active', problems: [] }]);
  });

  it.each(['missing', 'empty'])('stays in use while its file is %s', async (fault) => {
    const { directory, filters, write, used } = await opened({ default: 'drop' });
    if (fault === 'empty') await write('default', '\n');
    else await rm(join(directory, 'default.filter'));
    await filters.reload();
    expect(used).toEqual([]);
    expect(filters.statuses()).toMatchObject([
      { filter: 'default', state: 'broken', problems: [expect.stringContaining(`is ${fault}`)] },
    ]);
    await write('default', 'stop');
    await filters.reload();
    expect(used).toEqual(['stop']);
  });

  it('is not used if one of its tests fails', async () => {
    const { filters, write, used } = await opened({ default: 'drop' });
    await write('default', 'test "kept" {\n  given plain \'a\'\n  expect body == "b"\n}\n');
    await filters.reload();
    expect(used).toEqual([]);
    expect(filters.statuses()[0]?.problems[0]).toContain('test "kept" failed');
  });
});
