import { describe, expect, it } from 'vitest';
import { REMEMBERED_CHECKS } from '../../../../../src/collector/sources/tail/files/file-checkpoint.ts';
import { PositionMarks } from '../../../../../src/collector/sources/tail/reading/position-marks.ts';
import { checkOf } from '../../../../../src/records/check.ts';

const check = (position: number) => checkOf(Buffer.from(String(position)));

describe('PositionMarks', () => {
  it('keeps the ends of the batches that were read, and the last accepted ends', () => {
    const marks = new PositionMarks([[0, check(0)]]);
    for (let position = 10; position <= 1_000; position += 10) marks.passed(position, check(position));
    expect(marks.read).toEqual([1_000, check(1_000)]);
    expect(marks.accepted).toEqual([0, check(0)]);
    expect(marks.accept(500)).toBe(true);
    expect(marks.accept(500)).toBe(false);
    expect(marks.accepted).toEqual([500, check(500)]);
    expect(marks.kept).toHaveLength(REMEMBERED_CHECKS);
    expect(marks.checkAt(700)).toBe(check(700));
    expect(marks.checkAt(490)).toBe(check(490));
    expect(marks.checkAt(5)).toBeUndefined();
  });

  it('uses the next lower position when the accepted end is not known', () => {
    const marks = new PositionMarks([[0, check(0)]]);
    marks.passed(10, check(10));
    marks.passed(20, check(20));
    marks.accept(15);
    expect(marks.accepted[0]).toBe(10);
  });

  it('keeps the newest when very many are not accepted', () => {
    const marks = new PositionMarks([[0, check(0)]]);
    for (let position = 1; position <= 10_000; position++) marks.passed(position, check(position));
    expect(marks.read[0]).toBe(10_000);
    marks.accept(10_000);
    expect(marks.accepted).toEqual([10_000, check(10_000)]);
  });

  it('restarts at the accepted end, or at a later one', () => {
    const marks = new PositionMarks([[0, check(0)]]);
    marks.passed(10, check(10));
    marks.passed(20, check(20));
    marks.accept(10);
    marks.restartAt([10, check(10)]);
    expect(marks.read[0]).toBe(10);
    marks.restartAt([30, check(30)]);
    expect(marks.accepted).toEqual([30, check(30)]);
    marks.restartAt([5, check(5)]);
    expect(marks.accepted[0]).toBe(30);
  });
});
