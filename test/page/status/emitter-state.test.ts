import { describe, expect, it } from 'vitest';
import type { EmitterStatus } from '../../../src/page/api/status.ts';
import { catchUpText, isFailing, queuedOf } from '../../../src/page/status/emitter-state.ts';
import { isoOfUnixNano } from '../../../src/page/status/iso-of-unix-nano.ts';

const none = { records: 0, bytes: 0 };
const emitter = (more: Partial<EmitterStatus> = {}): EmitterStatus => ({
  ...{ emitter: 'file', delivered: none, queued: none, deadLettered: none, discarded: none },
  ...more,
});

describe('an emitter', () => {
  it('fails in any state that is not a good one, and with a problem', () => {
    expect(isFailing(emitter())).toBe(false);
    expect(isFailing(emitter({ state: 'running' }))).toBe(false);
    expect(isFailing(emitter({ state: 'retrying' }))).toBe(true);
    expect(isFailing(emitter({ problem: 'connection refused' }))).toBe(true);
  });

  it('says how much is queued, and when it will have delivered it', () => {
    const queued = { records: 12_000, bytes: 1 };
    expect(queuedOf(emitter())).toBe('up to date');
    expect(queuedOf(emitter({ queued }))).toBe('12k queued');
    expect(catchUpText(emitter({ queued, lagSeconds: 60, catchUpSeconds: 90 }))).toBe('1 min 30 s');
    expect(catchUpText(emitter({ queued, lagSeconds: 60 }))).toBe('not at this rate');
    expect(catchUpText(emitter({ queued, lagSeconds: 2, catchUpSeconds: 90 }))).toBe('');
    expect(catchUpText(emitter({ lagSeconds: 0 }))).toBe('');
  });
});

it('a time in nanoseconds is shown to the millisecond', () => {
  expect(isoOfUnixNano('1764323999123456789')).toBe('2025-11-28T09:59:59.123Z');
});
