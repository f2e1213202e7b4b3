import { describe, expect, it } from 'vitest';
import { LogShape, SHAPE_INDEX } from '../../../src/protocols/febe/log-shape.ts';

/** A record of PostgreSQL 9: `select 1/0`. */
const FRAME = Buffer.from(
  'TAAAALMyMDE1LTA1LTA4IDIyOjIxOjQzLjc1OCBVVEMAUHUAUGQAAAAQklBbbG9jYWxdADU1NGQzNjY3LjEwOTIAAAAAAAAAAAFQU0VMRUNUADIwMTUtMDUtMDggMjI6MjE6NDMgVVRDAFAyLzcAAAAAAAAAAAAAAAAUUDIyMDEyAFBkaXZpc2lvbiBieSB6ZXJvAE4ATgBOAP////9OAFBzZWxlY3QgMS8wAAAAAABOAFAA',
  'base64',
);

describe('the shape of a record', () => {
  it('finds the offsets of the fields', () => {
    const payload = FRAME.subarray(5);
    const shape = new LogShape();
    expect(shape.measure(payload)).toBeUndefined();
    expect(payload).toHaveLength(175);
    expect(shape.starts[SHAPE_INDEX.pid]).toBe(34);
    expect(shape.starts[SHAPE_INDEX.sequence]).toBe(61);
    expect(shape.starts[11]).toBe(114);
    expect(shape.starts[13]).toBe(125);
    expect(shape.starts[19]).toBe(155);
    expect(shape.starts[23]).toBe(175);
  });

  it('rejects every shortened payload', () => {
    const shape = new LogShape();
    for (let end = 5; end < FRAME.length; end++)
      expect(shape.measure(FRAME.subarray(5, end)), `cut at ${end}`).toMatchObject({ kind: 'bad record' });
  });
});
