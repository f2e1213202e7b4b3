import { expect, test } from 'vitest';
import { Completeness } from '../../../../src/collector/sources/harvest/completeness.ts';
import { parseHarvest } from '../../../../src/collector/sources/harvest/configuration.ts';
import type { Upload } from '../../../../src/collector/sources/harvest/find-uploads.ts';
import { FakeClock } from '../../../support/fake-clock.ts';

const [entry] = parseHarvest('[{"path": "/srv/upload", "complete": "20s"}]');

function upload(version: string, changedUnixMs = 0): Upload {
  if (entry === undefined) throw new Error('no entry');
  const place = { path: '/srv/upload/a.log', device: '1', inode: '2' };
  return { ...place, entry, sizeBytes: 3, modifiedUnixMs: changedUnixMs, changedUnixMs, version };
}

function prepared({ trustsTimes = false } = {}) {
  const clock = new FakeClock();
  const completeness = new Completeness(clock, { trustsTimes });
  const scan = (found: Upload | undefined, ignored: readonly string[] = []) => {
    completeness.observe({ uploads: found === undefined ? [] : [found], ignored: new Set(ignored) });
    return found === undefined ? undefined : completeness.stateOf(found).kind;
  };
  return { clock, completeness, scan };
}

test('a file is complete after its time without a change', async () => {
  const { clock, completeness, scan } = prepared();
  expect(scan(upload('1'))).toBe('incomplete');
  expect(completeness.dueInMs).toBe(20_000);
  await clock.advance(19_999);
  expect(scan(upload('1'))).toBe('incomplete');
  expect(completeness.dueInMs).toBe(1);
  await clock.advance(1);
  expect(scan(upload('1'))).toBe('complete');
  expect(completeness.dueInMs).toBeUndefined();
});

test('each change begins the time again', async () => {
  const { clock, scan } = prepared();
  for (const version of ['1', '2', '3']) {
    expect(scan(upload(version))).toBe('incomplete');
    await clock.advance(19_000);
  }
  await clock.advance(1_000);
  expect(scan(upload('3'))).toBe('complete');
  expect(scan(upload('4'))).toBe('incomplete');
});

test('old times of a file do not make it complete', () => {
  const { scan } = prepared();
  expect(scan(upload('1', 1_000))).toBe('incomplete');
});

test('old times make a file complete in a run that ends by itself', () => {
  const { clock, scan } = prepared({ trustsTimes: true });
  const nowUnixMs = Number(clock.nowUnixNano() / 1_000_000n);
  expect(scan(upload('1', nowUnixMs - 19_999))).toBe('incomplete');
  expect(prepared({ trustsTimes: true }).scan(upload('1', nowUnixMs - 20_000))).toBe('complete');
});

test('times in the future are no completeness', () => {
  const { clock, scan } = prepared({ trustsTimes: true });
  expect(scan(upload('1', Number(clock.nowUnixNano() / 1_000_000n) + 3_600_000))).toBe('incomplete');
});

test('a file that was seen under an ignored name is complete when it is renamed, until it changes', () => {
  const { scan } = prepared();
  scan(undefined, ['1:2']);
  expect(scan(upload('1'))).toBe('complete');
  expect(scan(upload('1'))).toBe('complete');
  expect(scan(upload('2'))).toBe('incomplete');
});

test('the renamed name of another file is not complete', () => {
  const { scan } = prepared();
  scan(undefined, ['1:3']);
  expect(scan(upload('1'))).toBe('incomplete');
});
