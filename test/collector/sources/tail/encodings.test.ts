import { appendFile, copyFile, open, rename, truncate } from 'node:fs/promises';
import iconv from 'iconv-lite';
import { describe, expect, it } from 'vitest';
import { parseTailConfiguration } from '../../../../src/collector/sources/tail/files/tail-configuration.ts';
import { StreamEncoding } from '../../../../src/collector/sources/tail/reading/stream-encoding.ts';
import { ENCODING } from '../../../../src/formats/marker-attributes.ts';
import { forEachLogRecord } from '../../../../src/formats/record-view.ts';
import type { LogRecord } from '../../../../src/records/log-record.ts';
import { Random } from '../../../storage/random.ts';
import { Tailing, type TailingOptions } from './tailing.ts';

const DETECTED =
  'A file begins with the byte order mark of UTF-16, or continues one that did, and is read as UTF-16: set "encoding" for it';

function encoded(encoding: string): Pick<TailingOptions, 'entry'> {
  return { entry: { resource: new Map([[ENCODING, encoding]]) } };
}

function recordsOf({ taken }: Tailing): LogRecord[] {
  const records: LogRecord[] = [];
  for (const batch of taken.batches) forEachLogRecord(batch, (record) => void records.push(record));
  return records;
}

function bodiesOf(tail: Tailing): string[] {
  return recordsOf(tail).map(({ body }) => body);
}

async function append(tail: Tailing, encoding: string, text: string, name = 'a.log'): Promise<void> {
  await appendFile(tail.path(name), iconv.encode(text, encoding));
}

describe('a file that begins with the byte order mark of UTF-16', () => {
  it.each(['utf-16le', 'utf-16be'])(
    'is read as UTF-16, also after a restart and a rotation (%s)',
    async (name) => {
      const tail = await Tailing.start({ globs: ['a.log'] });
      await append(tail, name, '\ufeffone \u0a0a\r\ntwo\n');
      await tail.turn();
      await tail.restart();
      await append(tail, name, 'thrée\n');
      await tail.turn();
      await rename(tail.path('a.log'), tail.path('a.log.1'));
      await append(tail, name, '\ufefffour\n');
      await tail.pass(12_000);
      expect(bodiesOf(tail)).toEqual(['one \u0a0a', 'two', 'thrée', 'four']);
      // One warning for each start that begins a file at this path.
      expect(tail.messages()).toEqual([DETECTED, DETECTED]);
      expect(tail.taken.batches.every(({ resource }) => resource.get(ENCODING) === name)).toBe(true);
    },
  );

  it('is read as UTF-16 after copytruncate, although the mark is gone, also after a restart', async () => {
    const tail = await Tailing.start({ globs: ['a.log'] });
    await append(tail, 'utf-16be', `\ufeff${'before\n'.repeat(20)}`);
    await tail.turn();
    for (const text of ['first\n', 'second\n']) {
      await copyFile(tail.path('a.log'), tail.path('a.log.1'));
      await truncate(tail.path('a.log'));
      await append(tail, 'utf-16be', text);
      await tail.pass(3_000);
      await tail.restart();
    }
    expect(bodiesOf(tail).slice(-3)).toEqual(['before', 'first', 'second']);
  });

  it('is read as UTF-8 when the file at its path is UTF-8 afterwards', async () => {
    const tail = await Tailing.start({ globs: ['a.log'] });
    await append(tail, 'utf-16le', `\ufeff${'before\n'.repeat(20)}`);
    await tail.turn();
    await truncate(tail.path('a.log'));
    await append(tail, 'utf-8', 'Größe\n');
    await tail.pass(3_000);
    expect(bodiesOf(tail).at(-1)).toBe('Größe');
  });

  it('decides the automatic format by its text', async () => {
    const tail = await Tailing.start();
    await append(tail, 'utf-16le', '\ufeff<34>1 2026-11-28T10:00:00Z host app - - - Größe\n');
    await tail.turn();
    expect(recordsOf(tail)).toMatchObject([{ format: 'syslog', body: 'Größe' }]);
  });
});

it('keeps a byte order mark of UTF-8 out of the first record', async () => {
  const tail = await Tailing.start();
  await append(tail, 'utf-8', '\ufeffone\ntwo\n');
  await tail.turn();
  expect(bodiesOf(tail)).toEqual(['one', 'two']);
  expect(tail.taken.batches.some(({ resource }) => resource.has(ENCODING))).toBe(false);
});

describe('a configured encoding', () => {
  it.each([
    ['utf-16', '\ufeffé\n', 'utf-16be', 'utf-16be'],
    ['utf-16', '\ufeffé\n', 'utf-16le', 'utf-16le'],
    ['utf-16', 'é\n', 'utf-16le', 'utf-16le'],
    ['utf-32', '\ufeffé\n', 'utf-32be', 'utf-32be'],
    ['utf-32', 'é\n', 'utf-32le', 'utf-32le'],
    ['utf-16be', 'é\n', 'utf-16be', 'utf-16be'],
    ['shift_jis', '表\n', 'shift_jis', 'shift_jis'],
  ])('%s reads %j of %s as %s', async (configured, text, written, used) => {
    const tail = await Tailing.start(encoded(configured));
    await append(tail, written, text);
    await tail.turn();
    await tail.restart();
    await append(tail, written, text.replace('\ufeff', ''));
    await tail.turn();
    const [body] = text.replace('\ufeff', '').split('\n');
    expect(bodiesOf(tail)).toEqual([body, body]);
    expect(tail.taken.batches[1]?.resource.get(ENCODING)).toBe(used);
    expect(tail.messages()).toEqual([]);
  });

  it.each(['utf-16le', 'utf-16be', 'utf-32le', 'shift_jis', 'gb18030', 'windows-1252'])(
    'returns the same text for any split of writes and reads, with stops and crashes (%s)',
    async (name) => {
      const letters =
        name === 'windows-1252' ? 'aé€\\' : name === 'shift_jis' ? 'a表ソ十\\' : 'a表\u0a0a\u000b\\';
      for (let seed = 1; seed <= 4; seed++) {
        const random = new Random(seed);
        const tail = await Tailing.start({ ...encoded(name), globs: ['a.log'], bufferBytes: 512 });
        const lines = Array.from({ length: 60 }, (_, index) =>
          Array.from({ length: random.integer(0, 12) }, () => letters[random.integer(0, letters.length - 1)])
            .join('')
            .concat(` ${index}`),
        );
        const bytes = iconv.encode(`${lines.join('\n')}\n`, name);
        for (let from = 0; from < bytes.length; ) {
          const end = from + random.integer(1, 160);
          await appendFile(tail.path('a.log'), bytes.subarray(from, end));
          from = end;
          await tail.turn();
          if (random.integer(0, 5) === 0) await tail.restart();
          if (random.integer(0, 5) === 0) {
            await tail.kill();
            await tail.start();
          }
        }
        await tail.turn();
        expect(bodiesOf(tail)).toEqual(lines);
        await tail.stop();
      }
    },
  );

  it.each(['utf-16le', 'utf-16be'])('skips a run of NUL bytes between two texts (%s)', async (name) => {
    const tail = await Tailing.start(encoded(name));
    tail.taken.allowsHoles = true;
    await append(tail, name, 'one\ntwo\n');
    const size = iconv.encode('one\ntwo\n', name).length;
    const file = await open(tail.path('a.log'), 'r+');
    await file.write(iconv.encode('three\n', name), 0, undefined, size + 4_096);
    await file.close();
    await tail.pass(8_000);
    expect(bodiesOf(tail)).toEqual(['one', 'two', 'three']);
    expect(tail.taken.text().length).toBe(iconv.encode('one\ntwo\nthree\n', name).length);
  });

  it('waits for the rest of a code unit, however long it takes', async () => {
    const tail = await Tailing.start(encoded('utf-16le'));
    const bytes = iconv.encode('one\ntwo\n', 'utf-16le');
    await appendFile(tail.path('a.log'), bytes.subarray(0, 9));
    await tail.pass(30_000);
    expect(bodiesOf(tail)).toEqual(['one']);
    await appendFile(tail.path('a.log'), bytes.subarray(9));
    await tail.turn();
    expect(bodiesOf(tail)).toEqual(['one', 'two']);
  });

  it('is used for a line that has no end', async () => {
    const tail = await Tailing.start(encoded('utf-16be'));
    await append(tail, 'utf-16be', 'one\nhalf');
    await tail.pass(12_000);
    await append(tail, 'utf-16be', ' rest\n');
    await tail.turn();
    expect(bodiesOf(tail)).toEqual(['one', 'half', ' rest']);
  });
});

describe('the encoding of a stream', () => {
  const state = { start: 0, marks: [], lineage: '/a' } as const;
  const entry = { format: 'plain', resource: new Map<string, string>() };
  const MARK = Buffer.from([0xff, 0xfe, 0x61, 0]);

  it('is not detected when an earlier version has sent records of the file', () => {
    const sent = { ...state, marks: [[100, 1n as never]] as never };
    expect(new StreamEncoding(entry, sent).isUndecided).toBe(false);
    expect(new StreamEncoding(entry, { ...sent, encoding: 'utf-16le' }).name).toBe('utf-16le');
  });

  it('is not detected for a format whose records are found by single bytes', () => {
    expect(new StreamEncoding({ ...entry, format: 'cri' }, state).isUndecided).toBe(false);
  });

  it('is not UTF-16 for a mark that is followed by NUL bytes', () => {
    const stream = new StreamEncoding(entry, state);
    expect(stream.decide(Buffer.from([0xff, 0xfe, 0, 0]))).toBe(false);
    expect([stream.name, stream.isUndecided]).toEqual([undefined, false]);
  });

  it('follows the configuration when that changes', () => {
    const latin1 = { ...entry, resource: new Map([[ENCODING, 'latin1']]) };
    expect(new StreamEncoding(latin1, { ...state, encoding: 'utf-16le' }).name).toBe('latin1');
    const stream = new StreamEncoding(latin1, state);
    expect([stream.isUndecided, stream.detected]).toEqual([false, undefined]);
    const open = new StreamEncoding(entry, state);
    expect([open.decide(MARK), open.detected]).toEqual([true, 'utf-16le']);
  });
});

describe('the key "encoding"', () => {
  const parse = (entry: object) =>
    parseTailConfiguration(JSON.stringify([{ paths: ['a'], ...entry }]), 'COLLECTOR_TAIL_CONFIGURATION')[0];

  it('travels as an attribute, except UTF-8', () => {
    expect(parse({ encoding: 'UTF-16' })?.resource).toEqual(new Map([[ENCODING, 'utf-16']]));
    expect(parse({ encoding: 'utf-8' })?.resource).toEqual(new Map());
  });

  it('is rejected with the nearest name', () => {
    expect(() => parse({ encoding: 'shift-jsi' })).toThrow('did you mean "shift_jis"?');
  });
});
