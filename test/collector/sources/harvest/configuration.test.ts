import { describe, expect, test } from 'vitest';
import { parseCollectorConfig } from '../../../../src/collector/config.ts';
import { parseHarvest } from '../../../../src/collector/sources/harvest/configuration.ts';
import { parseTailConfiguration } from '../../../../src/collector/sources/tail/files/tail-configuration.ts';
import { ConfigurationError } from '../../../../src/runtime/configuration/configuration-error.ts';

function problemsOf(act: () => unknown): readonly string[] {
  try {
    act();
    return [];
  } catch (error) {
    if (!(error instanceof ConfigurationError)) throw error;
    return error.problems.map(({ variable, message }) => `${variable}: ${message}`);
  }
}

const configured = (entries: readonly object[], environment: Readonly<Record<string, string>> = {}) =>
  problemsOf(() => parseCollectorConfig({ COLLECTOR_HARVEST: JSON.stringify(entries), ...environment }));

describe('an entry', () => {
  test('keeps files that were unchanged for 20 s, when only its path is given', () => {
    expect(parseHarvest('[{"path": "/srv/upload/"}]')).toMatchObject([
      {
        path: '/srv/upload',
        completeMs: 20_000,
        after: { kind: 'keep' },
        ignore: ['.*', '*.part', '*.tmp', '*.filepart'],
        recursive: false,
        reading: { format: 'auto', resource: new Map() },
      },
    ]);
  });

  test('has all its options', () => {
    const options = {
      ...{ path: '/srv/upload', complete: '1m', after: 'move:/srv/done', ignore: ['*.x'], recursive: true },
      ...{ format: 'json', resource: { 'service.name': 'ftp' }, error_directory: '/srv/bad' },
      multiline: { start: '^\\d' },
    };
    expect(parseHarvest(JSON.stringify([options]))).toMatchObject([
      {
        ...{ completeMs: 60_000, after: { kind: 'move', directory: '/srv/done' }, ignore: ['*.x'] },
        ...{ recursive: true, errorDirectory: '/srv/bad' },
        reading: { format: 'json', resource: new Map([['service.name', 'ftp']]) },
      },
    ]);
  });

  test('is rejected with every problem', () => {
    const entry = { path: '', complete: '0s', after: 'move:', ignore: ['a/b'], ignor: [] };
    expect(problemsOf(() => parseHarvest(JSON.stringify([entry])))).toEqual([
      'COLLECTOR_HARVEST[0].path: expected the path of a directory',
      'COLLECTOR_HARVEST[0].complete: expected a duration above zero, found "0s"',
      'COLLECTOR_HARVEST[0].after: expected "delete", "keep" or "move:DIRECTORY"',
      'COLLECTOR_HARVEST[0].ignore[0]: expected a glob of names, without a slash',
      'COLLECTOR_HARVEST[0].ignor: is not a known key; did you mean "ignore"?',
    ]);
  });

  test('describes its format and its zone as an entry of followed files does', () => {
    const described = { format: 'json?time=ts&level=lvl', timezone: 'Europe/Paris' };
    const [upload] = parseHarvest(JSON.stringify([{ path: '/srv/upload', ...described }]));
    const [followed] = parseTailConfiguration(JSON.stringify([{ paths: ['/x.log'], ...described }]), 'X');
    expect(upload?.reading.format).toBe('json');
    expect(upload?.reading.resource).toEqual(followed?.resource);
    expect(upload?.reading.resource.get('megacollector.timezone')).toBe('Europe/Paris');
    const access = [{ path: '/srv/upload', format: 'access:$remote_addr "$request"' }];
    expect(configured(access)).toEqual([]);
  });

  test('with an unknown zone or a description that cannot be read is rejected', () => {
    const entry = { path: '/srv/upload', format: 'json?tme=ts', timezone: 'Europe/Pariss' };
    expect(problemsOf(() => parseHarvest(JSON.stringify([entry])))).toEqual([
      expect.stringMatching(/^COLLECTOR_HARVEST\[0\]\.format: .*tme/),
      'COLLECTOR_HARVEST[0].timezone: expected a zone such as "Europe/Paris" or "+02:00"',
    ]);
  });

  test('with an unknown format is rejected', () => {
    expect(configured([{ path: '/srv/upload', format: 'jsn' }])).toEqual([
      expect.stringContaining('found "jsn"; did you mean "json"?'),
    ]);
  });
});

describe('overlapping paths are rejected:', () => {
  const upload = { path: '/srv/upload' };
  test.each([
    ['files that are followed', [upload], { COLLECTOR_TAIL: '/srv/*/*.log' }],
    [
      'files below that are followed',
      [{ ...upload, recursive: true }],
      { COLLECTOR_TAIL: '/srv/upload/a/b.log' },
    ],
    ['files that are followed at any depth', [upload], { COLLECTOR_TAIL: '/srv/**' }],
    ['the same directory twice', [upload, { path: '/srv/upload/' }], {}],
    ['a directory within a recursive one', [{ ...upload, recursive: true }, { path: '/srv/upload/a' }], {}],
    ['a move into the upload directory', [{ ...upload, after: 'move:/srv/upload/done' }], {}],
    [
      'a move into another upload directory',
      [{ ...upload, after: 'move:/srv/other' }, { path: '/srv/other' }],
      {},
    ],
    ['an error directory in the upload directory', [{ ...upload, error_directory: '/srv/upload/bad' }], {}],
    [
      'a move to where files are followed',
      [{ ...upload, after: 'move:/srv/done' }],
      { COLLECTOR_TAIL: '/srv/done/*' },
    ],
  ])('%s', (_case, entries, environment) => {
    expect(configured(entries, environment)).toHaveLength(1);
  });

  test('other directories are accepted', () => {
    const entries = [
      { ...upload, after: 'move:/srv/uploaded', error_directory: '/srv/bad' },
      { path: '/srv/upload2' },
    ];
    expect(configured(entries, { COLLECTOR_TAIL: '/var/log/*.log,/srv/upload3/*' })).toEqual([]);
  });
});
