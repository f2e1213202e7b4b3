import { describe, expect, it } from 'vitest';
import { filterStage } from '../../../src/emitters/filtering/filter-stage.ts';
import { sliceBytes } from '../../../src/emitters/slice-bytes.ts';
import { forEachLogRecord, recordView } from '../../../src/formats/record-view.ts';
import { type Batch, batchOf } from '../../../src/records/batch.ts';
import type { LogRecord } from '../../../src/records/log-record.ts';
import { endOf, type RecordBatch, sliceRecords } from '../../../src/records/record-batch.ts';
import { bodyFilter, resourceFilter, WORDS } from '../../support/hand-made-filter.ts';
import { recordBatch } from '../../support/record-batches.ts';
import { filterProgram } from '../../support/run-filter.ts';

const STREAM = recordBatch([]).stream;
const slice = (texts: readonly string[], overrides: Partial<RecordBatch> = {}) =>
  recordBatch(texts, { stream: STREAM, start: 100, ...overrides });

function bodies({ slices }: Batch): string[] {
  const found: string[] = [];
  for (const each of slices)
    forEachLogRecord(each, ({ body, position }) => found.push(`${position} ${body}`));
  return found;
}

function written({ slices }: Batch): string {
  return slices
    .flatMap((each) => sliceBytes(each, 'body').map((part) => Buffer.from(part).toString()))
    .join('');
}

describe('a filter that reads records', () => {
  const stage = filterStage(WORDS);

  it('returns the same batch if it changes nothing', () => {
    const batch = batchOf([slice(['a\n', 'b\n'])]);
    expect(stage(batch)).toEqual({ batch });
    expect(stage(batch).batch).toBe(batch);
  });

  it('cuts dropped records out, without a copy of the others', () => {
    const whole = slice(['a\n', 'drop 1\n', 'drop 2\n', 'b\n', 'c\n']);
    const { batch, filtered, originalIndexes } = stage(batchOf([whole]));
    expect(bodies(batch)).toEqual(['100 a', '116 b', '118 c']);
    expect(batch.slices.every(({ data }) => data.buffer === whole.data.buffer)).toBe(true);
    expect(batch.dropped).toEqual([{ stream: STREAM, start: 102, end: 116 }]);
    expect(filtered).toEqual([{ slice: 0, records: 2, bytes: 14 }]);
    expect(originalIndexes).toEqual([0, 3, 4]);
  });

  it('counts dropped records for each slice', () => {
    const { filtered, originalIndexes } = stage(
      batchOf([slice(['drop\n']), slice(['a\n']), slice(['b\n', 'drop\n', 'drop\n'])]),
    );
    expect(filtered).toEqual([
      { slice: 0, records: 1, bytes: 5 },
      { slice: 2, records: 2, bytes: 10 },
    ]);
    expect(originalIndexes).toEqual([1, 2]);
  });

  it('keeps the position of a changed record', () => {
    const { batch, originalIndexes } = stage(batchOf([slice(['a\n', 'change\n', 'b\n'])]));
    expect(bodies(batch)).toEqual(['100 a', '102 change!', '109 b']);
    expect(written(batch)).toBe('a\nchange!\nb\n');
    expect(originalIndexes).toEqual([0, 1, 2]);
  });

  it('writes the received bytes of a record with an unchanged body', () => {
    const { batch } = stage(batchOf([slice(['tag\r\n', 'change\r\n'])]));
    expect(written(batch)).toBe('tag\r\nchange!\n');
    expect(batch.slices[0]?.changed?.[0]?.record.attributes.get('tagged')).toBe('yes');
  });

  it('gives each part of a split record a position of its own within the bytes of the record', () => {
    const whole = slice(['a\n', 'split me now\n', 'b\n']);
    const { batch, originalIndexes } = stage(batchOf([whole]));
    expect(bodies(batch)).toEqual(['100 a', '102 split', '103 me', '104 now', '115 b']);
    expect(written(batch)).toBe('a\nsplit\nme\nnow\nb\n');
    expect(originalIndexes).toEqual([0, 1, 1, 1, 2]);
    expect(batch.slices.map(endOf)).toEqual([endOf(whole)]);
    expect(batch.recordCount).toBe(5);
  });

  it('splits a record into at most one part for each of its bytes', () => {
    const many = bodyFilter((record) => ({
      kind: 'records',
      records: ['x', 'y', 'z'].map((body) => ({ ...record, body })),
    }));
    const { batch } = filterStage(many)(batchOf([slice(['a\n', 'bcd\n'])]));
    expect(bodies(batch)).toEqual(['100 x', '101 y', '102 x', '103 y', '104 z']);
  });

  it('keeps marks and peers with their records', () => {
    const peers = [new Map([['network.peer.address', '10.0.0.1']])];
    const whole = slice(['drop\n', 'split it\n', 'b'], {
      peers,
      recordPeers: Uint32Array.of(0, 1, 1),
      marks: [
        { index: 1, mark: 'cut' },
        { index: 2, mark: 'unterminated' },
      ],
    });
    const { batch } = stage(batchOf([whole]));
    const [kept] = batch.slices;
    expect(kept?.recordPeers).toEqual(Uint32Array.of(1, 1, 1));
    expect(kept?.marks).toEqual([
      { index: 1, mark: 'cut' },
      { index: 2, mark: 'unterminated' },
    ]);
  });

  it('keeps changes in every later slice of the batch', () => {
    const { batch } = stage(batchOf([slice(['a\n', 'split me\n', 'change\n'])]));
    const [kept] = batch.slices;
    if (kept === undefined) throw new Error('nothing is kept');
    const later = sliceRecords(kept, 2, 4);
    expect(bodies(batchOf([later]))).toEqual(['103 me', '111 change!']);
    expect(recordView(later, 1).body).toBe('change!');
  });
});

describe('a filter that reads only the resource', () => {
  const stage = filterStage(
    resourceFilter((resource) => (resource.get('host.name') === 'noisy' ? 'drop' : 'keep')),
  );
  const noisy = { resource: new Map([['host.name', 'noisy']]) };

  it('decides about whole slices without parsing a record', () => {
    const kept = slice(['a\n', 'b\n']);
    const { batch, filtered, originalIndexes } = stage(batchOf([slice(['x\n', 'y\n'], noisy), kept]));
    expect(batch.slices).toEqual([kept]);
    expect(batch.slices[0]).toBe(kept);
    expect(filtered).toEqual([{ slice: 0, records: 2, bytes: 4 }]);
    expect(originalIndexes).toEqual([2, 3]);
  });

  it('returns the same batch if it drops nothing', () => {
    const batch = batchOf([slice(['a\n'])]);
    expect(stage(batch).batch).toBe(batch);
  });
});

describe('a filter that reads the resource first', () => {
  const program = filterProgram(
    'if resource.host.name == "noisy" { drop } else if resource.host.name == "web" { drop if body == "x" }',
  );
  const many = Array.from({ length: 10 }, (_, at) => (at === 9 ? 'x\n' : 'a\n'));
  const of = (host: string) => ({ resource: new Map([['host.name', host]]) });

  it('decides about slices by their resource, and about records where it needs them', () => {
    const parsed: string[] = [];
    const run = (record: LogRecord) => {
      parsed.push(record.resource.get('host.name') ?? '');
      return program.run(record);
    };
    const decide = (resource: LogRecord['resource']) => program.decide(resource);
    const stage = filterStage({ ...bodyFilter(run), decide });
    const quiet = slice(many, of('quiet'));
    const { batch, filtered, originalIndexes } = stage(
      batchOf([quiet, slice(many, of('noisy')), slice(many, of('web'))]),
    );
    expect(new Set(parsed)).toEqual(new Set(['web']));
    expect(batch.slices[0]).toBe(quiet);
    expect(batch.recordCount).toBe(19);
    expect(filtered).toEqual([
      { slice: 1, records: 10, bytes: 20 },
      { slice: 2, records: 1, bytes: 2 },
    ]);
    expect(batch.dropped).toEqual([
      { stream: STREAM, start: 100, end: 120 },
      { stream: STREAM, start: 118, end: 120 },
    ]);
    expect(originalIndexes).toEqual([...Array(10).keys(), ...[...Array(9).keys()].map((at) => at + 20)]);
  });

  it('returns the same batch if it drops nothing', () => {
    const batch = batchOf([slice(many, of('quiet')), slice(['a\n'], of('web'))]);
    expect(filterStage(program)(batch).batch).toBe(batch);
  });
});

describe('a filter that reads no content', () => {
  const seen: string[] = [];
  const stage = filterStage({
    ...bodyFilter((record) => {
      seen.push(record.body);
      const { position } = record;
      if (position === 100) return { kind: 'dropped' };
      return position === 102 ? { kind: 'records', records: [{ ...record }] } : { kind: 'unchanged' };
    }),
    reads: 'bytes',
  });

  it('parses only the records that it changes', () => {
    const { batch } = stage(batchOf([slice(['a\n', 'b\n', 'c\n'])]));
    expect(bodies(batch)).toEqual(['102 b', '104 c']);
    expect(seen).toEqual(['', '', 'b', '']);
  });
});
