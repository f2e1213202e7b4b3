import { describe, expect, it } from 'vitest';
import { dedupKeyOf, payloadOf, summaryOf } from '../../../src/aggregator/notify/pagerduty-event.ts';

describe('dedupKeyOf', () => {
  it.each([
    ['delivery', false, 'main/7'],
    ['delivery', true, 'main/7/text'],
    ['dead-letters', false, 'main/7/dead-letters'],
    ['dead-letters', true, 'main/7/text/dead-letters'],
    ['queue', true, 'main/7/text/queue'],
  ] as const)('%s, several: %s -> %s', (kind, hasSeveral, expected) => {
    expect(dedupKeyOf({ emitter: 'text', kind }, 'main/7', hasSeveral)).toBe(expected);
  });

  it.each([
    [null, 'main/7/alerts/busy'],
    ['', 'main/7/alerts/busy/'],
    ['api', 'main/7/alerts/busy/api'],
  ])('of an alert is the same at every aggregator: segment %j -> %s', (segment, expected) => {
    for (const hasSeveral of [false, true]) {
      expect(dedupKeyOf({ kind: 'alert', alert: 'busy', segment }, 'main/7', hasSeveral)).toBe(expected);
    }
  });

  it('adds a hash to keys that are too long', () => {
    const long = 'x'.repeat(300);
    const one = dedupKeyOf({ emitter: 'a', kind: 'delivery' }, long, true);
    const other = dedupKeyOf({ emitter: 'b', kind: 'delivery' }, long, true);
    expect(one).toMatch(/^x{190}-[0-9a-f]{64}$/);
    expect(one).toHaveLength(255);
    expect(other).not.toBe(one);
    expect(dedupKeyOf({ emitter: 'a', kind: 'delivery' }, 'y'.repeat(255), false)).toHaveLength(255);
  });
});

describe('summaryOf', () => {
  it('is one line', () => {
    expect(summaryOf(' a\r\n\tb\u0000c\u2028d ')).toBe('a b c d');
  });

  it('has at most 1,024 units and splits no character', () => {
    expect(summaryOf('x'.repeat(1024))).toBe('x'.repeat(1024));
    expect(summaryOf('x'.repeat(1025))).toBe(`${'x'.repeat(1023)}…`);
    expect(summaryOf(`${'x'.repeat(1022)}😀yyy`)).toBe(`${'x'.repeat(1022)}…`);
    expect(summaryOf(`${'x'.repeat(1021)}😀yyy`)).toBe(`${'x'.repeat(1021)}😀…`);
  });
});

describe('payloadOf', () => {
  it('contains source, summary, start and amounts', () => {
    const record = {
      emitter: 'text',
      kind: 'delivery',
      dedupKey: 'k',
      isOpen: true,
      mayBeShown: false,
      isUnsent: true,
      reason: 'EPIPE',
      records: 5,
      bytes: 50,
      attempts: 3,
      batchId: '7/3',
      firstFailedAt: '2024-01-01T00:00:00.000Z',
    } as const;
    expect(payloadOf(record, 'Log Drain #7', 'host-1')).toEqual({
      summary: 'Aggregator failed to emit: Log Drain #7 (emitter text): EPIPE',
      source: 'host-1',
      severity: 'error',
      custom_details: {
        emitter: 'text',
        batch_id: '7/3',
        entries: 5,
        bytes: 50,
        attempts: 3,
        last_error: 'EPIPE',
        first_failed_at: '2024-01-01T00:00:00.000Z',
      },
    });
    expect(payloadOf(record, 'x', ' ').source).toBe('unknown');
  });

  it('contains the observed value of an alert', () => {
    const record = {
      kind: 'alert',
      alert: 'busy',
      segment: 'api\n"',
      dedupKey: 'k',
      isOpen: true,
      mayBeShown: false,
      isUnsent: true,
      reason: 'avg of traffic over 60 s is 3 (fires when > 2)',
      records: 0,
      bytes: 0,
      attempts: 0,
      batchId: null,
      firstFailedAt: '2024-01-01T00:00:00.000Z',
    } as const;
    expect(payloadOf(record, 'Log Drain #7', 'host-1')).toEqual({
      summary: 'Alert: Log Drain #7 (busy, "api\\n\\""): avg of traffic over 60 s is 3 (fires when > 2)',
      source: 'host-1',
      severity: 'error',
      custom_details: {
        alert: 'busy',
        segment: 'api\n"',
        observed: 'avg of traffic over 60 s is 3 (fires when > 2)',
        firing_since: '2024-01-01T00:00:00.000Z',
      },
    });
    expect(payloadOf({ ...record, segment: null }, 'x', 'h').summary).toMatch(/^Alert: x \(busy\): avg/);
  });
});
