import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  histogramRequest,
  logFilter,
  moment,
  momentToUnixMicro,
  propertyName,
  searchRequest,
  tailRequest,
  valuesRequest,
} from '../../../src/logstore/logs/log-requests.ts';

const NOW = 1_700_000_000_000_000;

describe('a moment', () => {
  test.each([
    ['1970-01-01T00:00:00Z', 0],
    ['2026-01-31T10:00:00Z', Date.UTC(2026, 0, 31, 10) * 1000],
    ['2026-01-31T10:00:00+02:00', Date.UTC(2026, 0, 31, 8) * 1000],
    ['2024-02-29T23:30:00-01:00', Date.UTC(2024, 2, 1, 0, 30) * 1000],
    ['2026-01-31T10:00:00.5Z', Date.UTC(2026, 0, 31, 10) * 1000 + 500_000],
    ['2026-01-31T10:00:00.123456789Z', Date.UTC(2026, 0, 31, 10) * 1000 + 123_456],
    ['2026-01-31T10:00:00.000001Z', Date.UTC(2026, 0, 31, 10) * 1000 + 1],
    ['9999-12-31T23:59:59Z', Date.UTC(9999, 11, 31, 23, 59, 59) * 1000],
    ['15m', NOW - 900_000_000],
    ['1h30m', NOW - 5_400_000_000],
    ['0', NOW],
  ])('%s', (text, unixMicro) => {
    expect(moment.safeParse(text).success).toBe(true);
    expect(momentToUnixMicro(text, NOW)).toBe(unixMicro);
  });

  test.each([
    '',
    'now',
    'yesterday',
    '-15m',
    '15',
    '15 m',
    '2026-01-31',
    '2026-01-31T10:00:00',
    '2026-01-31 10:00:00Z',
    '2026-02-31T10:00:00Z',
    '2025-02-29T00:00:00Z',
    '2026-13-01T00:00:00Z',
    '2026-01-01T25:00:00Z',
    '2026-01-01T10:00:00.1234567890Z',
    '+002026-01-01T00:00:00Z',
    `${'1'.repeat(70)}s`,
    "2026-01-31T10:00:00Z'--",
    'Sat, 31 Jan 2026 10:00:00 GMT',
  ])('is not %j', (text) => {
    const [issue] = moment.safeParse(text).error?.issues ?? [];
    expect(issue?.message).toBeTruthy();
  });

  test('to the microsecond, in any zone', () => {
    const instant = fc.record({
      unixMs: fc.integer({ min: 0, max: Date.UTC(2200, 0, 1) }),
      micro: fc.integer({ min: 0, max: 999 }),
      zoneMinutes: fc.integer({ min: -14 * 60, max: 14 * 60 }),
    });
    fc.assert(
      fc.property(instant, ({ unixMs, micro, zoneMinutes }) => {
        const local = new Date(unixMs + zoneMinutes * 60_000).toISOString().slice(0, -1);
        const two = (value: number) => String(Math.floor(value)).padStart(2, '0');
        const ahead = Math.abs(zoneMinutes);
        const zone = `${zoneMinutes < 0 ? '-' : '+'}${two(ahead / 60)}:${two(ahead % 60)}`;
        const text = `${local}${String(micro).padStart(3, '0')}${zone}`;
        expect(moment.safeParse(text).success, text).toBe(true);
        expect(momentToUnixMicro(text, NOW)).toBe(unixMs * 1000 + micro);
      }),
    );
  });

  test('parses or rejects any text', () => {
    fc.assert(
      fc.property(fc.oneof(fc.string(), fc.stringMatching(/^[0-9TZ:.+hms -]{1,30}$/)), (text) => {
        if (moment.safeParse(text).success) expect(momentToUnixMicro(text, NOW)).not.toBeNaN();
      }),
    );
  });
});

describe('a filter', () => {
  test('may contain everything', () => {
    const filter = {
      text: 'a%_\\',
      severity: 'warn',
      host: 'h',
      service: 's',
      where: [{ property: 'status_code', value: '' }],
    };
    expect(logFilter.parse(filter)).toEqual(filter);
    expect(tailRequest.parse({})).toEqual({});
  });

  test.each([
    [{ text: '' }, 'text'],
    [{ text: 'x'.repeat(1001) }, 'text'],
    [{ severity: 'WARN' }, 'severity'],
    [{ severity: 13 }, 'severity'],
    [{ host: null }, 'host'],
    [{ where: [{ property: 'a(b', value: 'x' }] }, 'where'],
    [{ where: [{ property: 'a' }] }, 'where'],
    [{ where: [{ property: 'a', value: 1 }] }, 'where'],
    [{ where: Array.from({ length: 17 }, () => ({ property: 'a', value: 'x' })) }, 'where'],
    [{ where: [{ property: 'a', value: 'x', more: 1 }] }, 'where'],
    [{ txt: 'x' }, undefined],
  ])('is not %j', (filter, place) => {
    const [issue] = logFilter.safeParse(filter).error?.issues ?? [];
    expect(issue).toBeDefined();
    expect(issue?.path[0]).toBe(place);
  });

  test('names the expected form of a property', () => {
    const [issue] = propertyName.safeParse('lower(body)').error?.issues ?? [];
    expect(issue?.message).toMatch(/expected section/);
    const long = `${'section('.repeat(50_000)}a${')'.repeat(50_000)}`;
    expect(propertyName.safeParse(long).success).toBe(false);
  });
});

describe('requests', () => {
  test('have their defaults', () => {
    expect(searchRequest.parse({})).toEqual({ limit: 100 });
    expect(valuesRequest.parse({ property: 'host' })).toEqual({ property: 'host', limit: 20 });
    expect(histogramRequest.parse({})).toEqual({});
  });

  test('have limits', () => {
    for (const limit of [0, 1001, 1.5, -1, '10', Number.NaN]) {
      expect(searchRequest.safeParse({ limit }).success).toBe(false);
      expect(valuesRequest.safeParse({ property: 'host', limit }).success).toBe(false);
    }
    for (const intervalSeconds of [0, 0.5, 86_400 * 366 + 1])
      expect(histogramRequest.safeParse({ intervalSeconds }).success).toBe(false);
    expect(searchRequest.safeParse({ cursor: 'x'.repeat(401) }).success).toBe(false);
    expect(valuesRequest.safeParse({}).success).toBe(false);
    expect(tailRequest.safeParse({ from: '1h' }).success).toBe(false);
  });
});
