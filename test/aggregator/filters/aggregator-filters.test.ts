import { execFileSync } from 'node:child_process';
import { mkdir, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { Registry } from 'prom-client';
import { describe, expect, it, onTestFinished, vi } from 'vitest';
import { AggregatorFilters } from '../../../src/aggregator/filters/aggregator-filters.ts';
import { checkedFilters } from '../../../src/aggregator/filters/checked-filters.ts';
import type { FilterSource } from '../../../src/emitters/filtering/filter-source.ts';
import { loadFilter } from '../../../src/emitters/filtering/load-filter.ts';
import { parsedRecord } from '../../../src/filters/filter-tests.ts';
import { geoDatabase } from '../../../testkit/geo-database.ts';
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
    const stateDirectory = await temporaryDirectory();
    const deps = { clock: new FakeClock(), logger, metrics: new Registry(), stateDirectory };
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

describe('a changed table', () => {
  async function opened(files: Readonly<Record<string, string>>, geoip?: string) {
    const { directory, write } = await filterDirectory({});
    for (const [name, text] of Object.entries(files)) await writeFile(join(directory, name), text);
    const { logger } = capturedLogger();
    const clock = new FakeClock();
    const filters = await AggregatorFilters.open({
      directory,
      geoip,
      emitters: [emitter('file')],
      clock,
      logger,
      metrics: new Registry(),
      stateDirectory: await temporaryDirectory(),
    });
    const used: (string | undefined)[] = [];
    await filters.start(async (_name, source: FilterSource | undefined) => void used.push(source?.text));
    onTestFinished(() => filters.stop());
    return { clock, directory, filters, used, write };
  }

  const LOOKUP = 'team := lookup("hosts.csv", host.name, "team")';

  it('gives the emitter the filter again, once', async () => {
    const { directory, filters, used } = await opened({
      'default.filter': LOOKUP,
      'hosts.csv': 'host,team\nweb,shop\n',
    });
    await filters.reload();
    expect(used).toEqual([]);
    await writeFile(join(directory, 'hosts.csv'), 'host,team\nweb,data\n');
    await filters.reload();
    await filters.reload();
    expect(used).toEqual([LOOKUP]);
  });

  it('is not used if it is invalid', async () => {
    const { directory, filters, used } = await opened({
      'default.filter': LOOKUP,
      'hosts.csv': 'host,team\nweb,shop\n',
    });
    await writeFile(join(directory, 'hosts.csv'), 'host,group\nweb,data\n');
    await filters.reload();
    expect(used).toEqual([]);
    expect(filters.statuses()).toMatchObject([
      { state: 'broken', problems: [expect.stringContaining('has no column "team"')] },
    ]);
  });

  it('also means a new pattern file, and a changed GeoIP database', async () => {
    const geoip = join(await temporaryDirectory(), 'a.mmdb');
    const place = (name: string) => geoDatabase({ '81.2.0.0/16': { city: { names: { en: name } } } });
    await writeFile(geoip, place('Paris'));
    const { directory, filters, used } = await opened({ 'default.filter': 'grok("SSHD_FAILED")' }, geoip);
    await writeFile(join(directory, 'own.patterns'), 'OWN a+\n');
    await filters.reload();
    expect(used).toHaveLength(1);
    await writeFile(geoip, place('London'));
    await filters.reload();
    expect(used).toHaveLength(2);
  });

  it('is seen without a change of the filter, and without waiting for the next look', async () => {
    const { clock, directory, used } = await opened({
      'default.filter': LOOKUP,
      'hosts.csv': 'host,team\nweb,shop\n',
    });
    await writeFile(join(directory, 'hosts.csv'), 'host,team\nweb,data\n');
    const seen = async () => {
      // The debounce of the watcher; all steps together are shorter than the time between two looks.
      await clock.advance(100);
      expect(used).toEqual([LOOKUP]);
    };
    await vi.waitFor(seen, { timeout: 20_000, interval: 50 });
  });
});

describe('a start with an invalid file', () => {
  const MASK = 'user.email := mask(user.email)';

  interface Start {
    readonly directory: string;
    readonly stateDirectory: string;
    readonly filter?: string;
  }

  async function start({ directory, stateDirectory, filter }: Start) {
    const { logger, lines } = capturedLogger();
    const filters = await AggregatorFilters.open({
      directory,
      geoip: undefined,
      emitters: [emitter('file', filter)],
      clock: new FakeClock(),
      logger,
      metrics: new Registry(),
      stateDirectory,
    });
    const used: (FilterSource | undefined)[] = [];
    await filters.start(async (_name, source) => void used.push(source));
    onTestFinished(() => filters.stop());
    return { filters, used, errors: lines.filter(({ level }) => level === 50) };
  }

  /** Starts once with valid files, stops, and returns the places for the next start. */
  async function keptAfter(files: Readonly<Record<string, string>>, filter?: string) {
    const { directory } = await filterDirectory({});
    for (const [name, text] of Object.entries(files)) await writeFile(join(directory, name), text);
    const places = {
      directory,
      stateDirectory: await temporaryDirectory(),
      ...(filter !== undefined && { filter }),
    };
    const { filters } = await start(places);
    await filters.stop();
    return { ...places, path: join(directory, `${filter ?? 'default'}.filter`) };
  }

  it('uses the last valid filter, reports it, and uses the file when it is valid', async () => {
    const places = await keptAfter({ 'default.filter': MASK });
    await writeFile(places.path, 'drop if');
    const { filters, used, errors } = await start(places);
    expect(filters.sourceOf('file')?.text).toBe(MASK);
    expect(filters.statuses()).toMatchObject([
      { filter: 'default', state: 'broken', problems: [expect.stringMatching(/default\.filter:1:\d+: /)] },
    ]);
    expect(filters.broken()).toMatchObject([{ what: expect.stringContaining('emitter file') }]);
    expect(errors).toHaveLength(1);

    await filters.reload();
    expect(errors).toHaveLength(1);
    await writeFile(places.path, MASK);
    await filters.reload();
    expect(used.map((source) => source?.text)).toEqual([MASK]);
    expect(filters.statuses()).toMatchObject([{ state: 'active', problems: [] }]);
    expect(filters.broken()).toEqual([]);
  });

  it.each(['missing', 'empty', 'unreadable'])(
    'uses the last valid filter if the file is %s',
    async (fault) => {
      const places = await keptAfter({ 'default.filter': MASK });
      await rm(places.path);
      if (fault === 'empty') await writeFile(places.path, '');
      if (fault === 'unreadable') await mkdir(places.path);
      const { filters } = await start(places);
      expect(filters.sourceOf('file')?.text).toBe(MASK);
      expect(filters.statuses()).toMatchObject([{ state: 'broken' }]);
    },
  );

  it('uses the tables and patterns of the last valid filter', async () => {
    const text = 'if grok("OWN") { team := lookup("hosts.csv", host.name, "team") }';
    const places = await keptAfter({
      'default.filter': text,
      'hosts.csv': 'host,team\nweb,shop\n',
      'own.patterns': 'OWN a+(?<x>b)\n',
    });
    await rm(join(places.directory, 'hosts.csv'));
    await rm(join(places.directory, 'own.patterns'));
    const { filters } = await start(places);
    const source = filters.sourceOf('file');
    if (source === undefined) throw new Error('expected a filter');
    const program = await loadFilter(source, 'file');
    const record = parsedRecord('plain', 'aab', new Map([['host.name', 'web']]));
    const result = program.run(record);
    expect(result.kind === 'records' && result.records[0]?.attributes.get('team')).toBe('shop');
  });

  it('fails without an earlier valid filter', async () => {
    const { directory } = await filterDirectory({ default: 'drop if' });
    const stateDirectory = await temporaryDirectory();
    await expect(start({ directory, stateDirectory })).rejects.toThrow(/default\.filter:1:\d+: /);
  });

  it('fails if the earlier filter had another name: it may mask less', async () => {
    const places = await keptAfter({ 'default.filter': 'stop' });
    await writeFile(join(places.directory, 'mask.filter'), 'drop if');
    await expect(start({ ...places, filter: 'mask' })).rejects.toThrow(/mask\.filter:1:\d+: /);
  });

  it('fails if the copy of the last valid filter is damaged, and reports both', async () => {
    const places = await keptAfter({ 'default.filter': MASK });
    const home = join(places.stateDirectory, 'filters', 'file');
    const [copy = ''] = (await readdir(home)).filter((name) => name !== 'kept.json');
    await writeFile(join(home, copy, 'program'), 'stop');
    await writeFile(places.path, 'drop if');
    await expect(start(places)).rejects.toThrow(/default\.filter:1:\d+: [\s\S]*differs from its digest/);
  });

  it('keeps no copy of a filter that the configuration has removed', async () => {
    const places = await keptAfter({ 'default.filter': MASK });
    const { filters } = await start({ ...places, filter: 'none' });
    expect(filters.sourceOf('file')).toBeUndefined();
    expect(await readdir(join(places.stateDirectory, 'filters'))).toEqual([]);
  });

  it('uses a changed filter that was valid before the file became invalid', async () => {
    const places = await keptAfter({ 'default.filter': 'stop' });
    const first = await start(places);
    await writeFile(places.path, MASK);
    await first.filters.reload();
    await writeFile(places.path, 'drop if');
    await first.filters.reload();
    await first.filters.stop();
    const { filters } = await start(places);
    expect(filters.sourceOf('file')?.text).toBe(MASK);
    const home = join(places.stateDirectory, 'filters', 'file');
    expect(await readdir(home)).toHaveLength(2);
    expect(JSON.parse(await readFile(join(home, 'kept.json'), 'utf8'))).toMatchObject({ name: 'default' });
  });
});
