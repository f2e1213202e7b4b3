import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { ExportEntry } from '../../../src/protocols/journal-export/export-entry.ts';
import { ExportError } from '../../../src/protocols/journal-export/export-error.ts';
import { EXPORT_LIMITS } from '../../../src/protocols/journal-export/export-limits.ts';
import { binaryField, ExportParser } from '../../../src/protocols/journal-export/export-parser.ts';
import { readExportFields } from '../../../src/protocols/journal-export/read-export-fields.ts';

const name = fc.stringMatching(/^[A-Z_][A-Z0-9_]{0,20}$/);
const textField = fc
  .tuple(name, fc.string({ unit: 'binary' }))
  .map(([key, value]) => Buffer.from(`${key}=${value.replaceAll('\n', ' ')}\n`));
const field = fc.oneof(
  textField,
  fc.tuple(name, fc.uint8Array({ maxLength: 100 })).map(([key, value]) => binaryField(key, value)),
);
const entry = fc
  .array(field, { minLength: 1, maxLength: 8 })
  .map((fields) => Buffer.concat([...fields, Buffer.from('\n')]));

function parsedInParts(bytes: Buffer, cuts: readonly number[]): ExportEntry[] {
  const parser = new ExportParser();
  const ends = [...new Set(cuts.map((cut) => cut % (bytes.length + 1)))].sort((a, b) => a - b);
  const entries: ExportEntry[] = [];
  let from = 0;
  for (const end of [...ends, bytes.length]) {
    entries.push(...parser.push(bytes.subarray(from, end)));
    from = end;
  }
  return entries;
}

describe('the parser of journal export', () => {
  test('returns the bytes of each entry, however the input is split', () => {
    fc.assert(
      fc.property(
        fc.array(entry, { maxLength: 5 }),
        fc.array(fc.nat(), { maxLength: 12 }),
        (entries, cuts) => {
          const parsed = parsedInParts(Buffer.concat(entries), cuts);
          expect(parsed.map(({ bytes }) => bytes.toString('latin1'))).toEqual(
            entries.map((bytes) => bytes.toString('latin1')),
          );
          for (const { bytes } of parsed) expect(readExportFields(bytes)).toBeDefined();
        },
      ),
    );
  });

  test('gives the same entries for long fields, byte for byte and at once', () => {
    const long = Buffer.alloc(EXPORT_LIMITS.fieldBytes + 10, 'x');
    const bytes = Buffer.concat([
      Buffer.from('__CURSOR=s=1;i=2\nMESSAGE='),
      long,
      Buffer.from('\n'),
      binaryField('DUMP', long),
      Buffer.from('PRIORITY=3\n\nMESSAGE=next\n\n'),
    ]);
    const atOnce = parsedInParts(bytes, []);
    const parser = new ExportParser();
    const inSevens: ExportEntry[] = [];
    for (let at = 0; at < bytes.length; at += 7) inSevens.push(...parser.push(bytes.subarray(at, at + 7)));
    expect(inSevens).toEqual(atOnce);
    expect(atOnce).toHaveLength(2);
    const [first] = atOnce;
    expect(first).toMatchObject({ cursor: 's=1;i=2', isShortened: true });
    const fields = readExportFields(first?.bytes ?? Buffer.alloc(0)) ?? [];
    expect(fields.map((each) => each.name)).toEqual([
      ...['__CURSOR', 'MESSAGE', 'DUMP', 'PRIORITY', 'MEGACOLLECTOR_SHORTENED'],
    ]);
    expect(fields.at(-1)?.value.toString()).toBe('MESSAGE,DUMP');
  });

  test('leaves fields out when an entry is too long, and names them', () => {
    const fields = Array.from({ length: 40 }, (_, index) =>
      binaryField(`F${index}`, Buffer.alloc(100_000, index)),
    );
    const [parsed] = new ExportParser().push(Buffer.concat([...fields, Buffer.from('\n')]));
    expect(parsed?.isShortened).toBe(true);
    expect(parsed?.bytes.length).toBeLessThanOrEqual(EXPORT_LIMITS.entryBytes);
    expect(
      readExportFields(parsed?.bytes ?? Buffer.alloc(0))
        ?.at(-1)
        ?.value.toString(),
    ).toMatch(/^F10,F11,/);
  });

  test('leaves fields out when an entry has too many', () => {
    const [parsed] = new ExportParser().push(Buffer.from(`${'A=1\n'.repeat(100_000)}\n`));
    expect(readExportFields(parsed?.bytes ?? Buffer.alloc(0))).toHaveLength(EXPORT_LIMITS.entryFields + 1);
  });

  test('ignores the notices of journalctl', () => {
    expect(new ExportParser().push(Buffer.from('-- No entries --\n'))).toEqual([]);
  });

  test('rejects a length that no field has', () => {
    const bytes = Buffer.concat([Buffer.from('A\n'), Buffer.alloc(8, 0xff)]);
    expect(() => new ExportParser().push(bytes)).toThrow(ExportError);
  });

  test('rejects a value that does not end after its length, and a line without a name', () => {
    expect(() => new ExportParser().push(Buffer.from('A\n\x01\0\0\0\0\0\0\0xy'))).toThrow(ExportError);
    expect(() => new ExportParser().push(Buffer.from('no field\n'))).toThrow(ExportError);
    expect(() => new ExportParser().push(Buffer.from('=value\n'))).toThrow(ExportError);
  });

  test('never throws another error, and never returns more bytes than the limit', () => {
    fc.assert(
      fc.property(fc.array(fc.uint8Array({ maxLength: 300 })), (chunks) => {
        const parser = new ExportParser();
        try {
          for (const chunk of chunks)
            for (const { bytes } of parser.push(Buffer.from(chunk)))
              expect(bytes.length).toBeLessThanOrEqual(EXPORT_LIMITS.entryBytes);
        } catch (error) {
          expect(error).toBeInstanceOf(ExportError);
        }
      }),
    );
  });
});
