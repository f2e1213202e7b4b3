import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { Format } from '../../src/formats/format.ts';
import { INVALID_UTF8 } from '../../src/formats/marker-attributes.ts';

/** Tests the contract of `src/formats/format.ts` with one format. */
export function formatContract(format: Format): void {
  const bytes = fc.oneof(
    fc.uint8Array({ maxLength: 400 }),
    fc.string({ unit: 'binary', maxLength: 200 }).map((text) => Buffer.from(text)),
    fc.json({ maxDepth: 4 }).map((text) => Buffer.from(`${text}\n`)),
  );

  describe(format.name, () => {
    test('has a name that fits into a batch, and a description', () => {
      expect(format.name).toMatch(/^[a-z][a-z0-9-]{0,63}$/);
      expect(format.description).toMatch(/\.$/);
    });

    test('never throws, and returns only values of the data model', () => {
      fc.assert(
        fc.property(bytes, (record) => {
          const parsed = format.parse(record);
          expect(typeof parsed.body).toBe('string');
          expect(parsed.attributes).toBeInstanceOf(Map);
          if (parsed.timeUnixNano !== undefined) expect(typeof parsed.timeUnixNano).toBe('bigint');
          const { severityNumber = 0 } = parsed;
          expect(severityNumber >= 0 && severityNumber <= 24).toBe(true);
          // Attributes are JSON values.
          expect(() => JSON.stringify(Object.fromEntries(parsed.attributes))).not.toThrow();
        }),
        { numRuns: 500 },
      );
    });

    test('parses equal bytes equally at any offset', () => {
      fc.assert(
        fc.property(bytes, (record) => {
          const before = Uint8Array.from(record);
          const inside = Buffer.concat([Buffer.from('xx'), record, Buffer.from('yy')]).subarray(
            2,
            2 + record.length,
          );
          expect(format.parse(inside)).toEqual(format.parse(record));
          expect(Uint8Array.from(record)).toEqual(before);
        }),
      );
    });

    test('marks bytes that are not UTF-8', () => {
      expect(format.parse(Uint8Array.of(0x61, 0xff, 0x62)).attributes.get(INVALID_UTF8)).toBe(true);
    });

    test('survives hostile records', () => {
      const hostile = [
        '',
        '\n',
        '\r\n',
        '\0'.repeat(100),
        '['.repeat(200_000),
        `${'{"a":'.repeat(100_000)}1${'}'.repeat(100_000)}`,
        `{"a":${'9'.repeat(500_000)}}`,
        '"'.repeat(100_000),
        '\\'.repeat(100_000),
        ' ['.repeat(100_000),
        '{"__proto__":{"polluted":true},"constructor":{"prototype":{"polluted":true}}}',
      ];
      for (const record of hostile) expect(() => format.parse(Buffer.from(record))).not.toThrow();
      expect('polluted' in {}).toBe(false);
    });

    test.skipIf(!format.lines)('a body that is the record ends before its line ending, and only one', () => {
      expect(format.parse(Buffer.from('no format has this\r\n')).body).toBe('no format has this');
      expect(format.parse(Buffer.from('no format has this\n\n')).body).toBe('no format has this\n');
      expect(format.parse(Buffer.from('no format has this\r')).body).toBe('no format has this\r');
    });
  });
}
