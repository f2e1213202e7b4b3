import { describe, expect, test } from 'vitest';
import { parseJournaldConfiguration } from '../../../../src/collector/sources/journald/configuration.ts';
import { readArguments } from '../../../../src/collector/sources/journald/journalctl-arguments.ts';
import { journaldType } from '../../../../src/collector/sources/journald/type.ts';

const parse = (value: unknown) => parseJournaldConfiguration(JSON.stringify(value), 'V');

describe('the configuration of journald', () => {
  test('rejects relative paths, options in the place of matches, and two places of a journal', () => {
    expect(() => parse([{ directory: 'logs' }])).toThrow(/absolute path/);
    expect(() => parse([{ matches: ['--vacuum-size=1'] }])).toThrow(/FIELD=value/);
    expect(() => parse([{ namespace: '--flush' }])).toThrow(/namespace/);
    expect(() => parse([{ directory: '/a', files: ['/b'] }])).toThrow(/only one of/);
    expect(() => parse([{ unit: 'a' }])).toThrow(/units/);
    expect(() => parse([])).toThrow(/at least one/);
  });

  test('reports a journal that is configured twice', () => {
    const entries = parse([{ units: ['a'] }, { units: ['a'], start: 'end' }]);
    const { problems } = journaldType.parse({ journals: entries }, { once: false, otherSources: [] });
    expect(problems).toEqual([expect.objectContaining({ message: expect.stringContaining('twice') })]);
  });

  test('reads all boots of this machine, and no other machine', () => {
    const [entry] = parse([{ units: ['a.service'] }]);
    if (entry === undefined) throw new Error('no entry');
    const args = readArguments(entry, { isFollowing: true, cursor: 'c', machineId: 'ab' });
    expect(args).toEqual([
      ...['--no-pager', '--output=export', '--all', '--merge', '--follow', '--no-tail', '--cursor=c'],
      ...['_MACHINE_ID=ab', '_SYSTEMD_UNIT=a.service'],
    ]);
    const merged = readArguments({ ...entry, merge: true }, { isFollowing: true, machineId: 'ab' });
    expect(merged).not.toContain('_MACHINE_ID=ab');
  });
});
