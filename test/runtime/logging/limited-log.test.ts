import { describe, expect, it } from 'vitest';
import { LimitedLog } from '../../../src/runtime/logging/limited-log.ts';
import { capturedLogger } from '../../support/captured-logger.ts';
import { FakeClock } from '../../support/fake-clock.ts';

function limitedLog(burst = 1) {
  const clock = new FakeClock();
  const { logger, lines } = capturedLogger();
  const log = new LimitedLog(logger, clock, { intervalMs: 1000, burst });
  const refused = (party: string, reason: string, message = 'Refused') =>
    log.write({ level: 'warn', party, fields: { reason }, message });
  return { clock, lines, log, refused };
}

describe('a limited log', () => {
  it('writes the first line at once, and the last one with a count at the end of the interval', async () => {
    const { clock, lines, refused } = limitedLog();
    for (let i = 0; i < 1000; i++) refused('a', String(i));
    expect(lines).toMatchObject([{ msg: 'Refused', reason: '0' }]);
    await clock.advance(1000);
    expect(lines).toMatchObject([{ reason: '0' }, { msg: 'Refused', reason: '999', count: 999 }]);
  });

  it('writes a line at once again when an interval has passed without one', async () => {
    const { clock, lines, refused } = limitedLog();
    refused('a', 'first');
    await clock.advance(1000);
    refused('a', 'second');
    expect(lines.map(({ reason }) => reason)).toEqual(['first', 'second']);
  });

  it('writes one line for each interval while lines continue', async () => {
    const { clock, lines, refused } = limitedLog();
    for (let second = 0; second < 40; second++) {
      refused('a', String(second));
      await clock.advance(100);
    }
    expect(lines).toHaveLength(5);
  });

  it('writes as many lines as the burst before it holds lines back', () => {
    const { lines, refused } = limitedLog(3);
    for (let i = 0; i < 10; i++) refused('a', String(i));
    expect(lines).toHaveLength(3);
  });

  it('writes the line of one party while it holds back those of another', () => {
    const { lines, refused } = limitedLog();
    for (let i = 0; i < 10; i++) refused('loud', String(i));
    refused('quiet', 'mine');
    expect(lines.map(({ reason }) => reason)).toEqual(['0', 'mine']);
  });

  it('keeps its limit when each line is from another party', () => {
    const { lines, refused } = limitedLog();
    for (let i = 0; i < 10_000; i++) refused(`party ${i}`, String(i));
    expect(lines.length).toBeLessThanOrEqual(257);
  });

  it('writes pending lines at a flush', () => {
    const { lines, log, refused } = limitedLog();
    refused('a', 'first');
    refused('a', 'second');
    log.flush();
    expect(lines).toMatchObject([{ reason: 'first' }, { reason: 'second', count: 1 }]);
  });
});
