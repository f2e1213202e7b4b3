import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { logfebe } from '../../src/formats/logfebe.ts';
import { encodeLogPayload } from '../../src/protocols/febe/encode-log-payload.ts';
import { FebeSession } from '../../src/protocols/febe/febe-session.ts';
import type { ParsedRecord } from '../../src/records/log-record.ts';
import { type CapturedRecord, febeCapture } from '../support/febe-capture.ts';
import { recordPayload } from '../support/febe-frames.ts';

const contextOf = (version: string) => ({
  resource: new Map([['postgresql.version', version]]),
  observedTimeUnixNano: 0n,
});

/** All records of the capture, as this format reads them and as an independent decoder did. */
function capture(): { read: ParsedRecord; expected: CapturedRecord }[] {
  const { chunks, connections } = febeCapture();
  const payloads: Buffer[] = [];
  for (const chunk of chunks) {
    const session = new FebeSession({
      version: () => undefined,
      identity: () => undefined,
      record: (payload) => void payloads.push(Buffer.from(payload)),
    });
    expect(session.push(chunk)).toBeUndefined();
  }
  const expected = connections.flatMap(({ records }) => records);
  expect(payloads).toHaveLength(59);
  expect(expected).toHaveLength(59);
  return payloads.map((payload, index) => ({
    read: logfebe.parse(payload, contextOf('15.20 (Debian 15.20-0+deb12u1)')),
    expected: expected[index] as CapturedRecord,
  }));
}

const LABELS: Record<number, string> = {
  15: 'LOG',
  17: 'INFO',
  18: 'NOTICE',
  19: 'WARNING',
  21: 'ERROR',
  22: 'FATAL',
};

/** What must not be there is undefined. */
function attributesExpected(record: CapturedRecord): Record<string, unknown> {
  const client = record.ClientAddr as string | null;
  const place = /^(\w+), (\S+):(\d+)$/.exec(record.FileErrPos as string);
  return {
    timestamp: record.LogTime,
    user: record.UserName ?? undefined,
    dbname: record.DatabaseName ?? undefined,
    pid: record.Pid,
    remote_host: client?.replace(/:\d+$/, ''),
    remote_port: client?.includes(':') ? Number(client.split(':')[1]) : undefined,
    session_id: record.SessionId,
    line_num: Number(record.SeqNum),
    ps: record.PsDisplay ?? undefined,
    session_start: record.SessionStart,
    vxid: record.Vxid ?? undefined,
    txid: Number(record.Txid),
    error_severity: LABELS[record.ELevel as number],
    state_code: record.SQLState,
    message: record.ErrMessage,
    detail: record.ErrDetail ?? undefined,
    hint: record.ErrHint ?? undefined,
    internal_query: record.InternalQuery ?? undefined,
    internal_position: Number(record.InternalQueryPos) > 0 ? record.InternalQueryPos : undefined,
    context: record.ErrContext ?? undefined,
    statement: record.UserQuery ?? undefined,
    cursor_position: Number(record.UserQueryPos) > 0 ? record.UserQueryPos : undefined,
    func_name: place?.[1],
    file_name: place?.[2],
    file_line_num: Number(place?.[3]),
    application_name: record.ApplicationName || undefined,
  };
}

describe('the format logfebe', () => {
  it('reads all 23 fields of every captured record', () => {
    for (const { read, expected } of capture()) {
      const wanted = Object.entries(attributesExpected(expected)).filter(([, value]) => value !== undefined);
      expect(Object.fromEntries(read.attributes)).toEqual(Object.fromEntries(wanted));
      expect(read.body).toBe(expected.ErrMessage);
      expect(read.severityText).toBe(LABELS[expected.ELevel as number]);
      const iso = (expected.LogTime as string).replace(' UTC', 'Z').replace(' ', 'T');
      expect(read.timeUnixNano).toBe(BigInt(Date.parse(iso)) * 1_000_000n);
    }
  });

  it('maps the captured severities', () => {
    const grades = new Map(capture().map(({ read }) => [read.severityText, read.severityNumber]));
    expect(Object.fromEntries(grades)).toEqual({
      LOG: 9,
      INFO: 9,
      NOTICE: 10,
      WARNING: 13,
      ERROR: 17,
      FATAL: 21,
    });
  });

  it.each([
    [20, '13.4', 'ERROR', 17],
    [21, '9.2.4', 'FATAL', 21],
    [22, '9.6', 'PANIC', 24],
    [20, '14.1', 'WARNING', 13],
    [21, '14devel', 'ERROR', 17],
    [22, '18beta1', 'FATAL', 21],
    [23, '15.20 (Debian)', 'PANIC', 24],
    [23, '13.1', 'UNKNOWN(23)', 17],
    [21, undefined, 'ERROR', 17],
    [10, '15', 'DEBUG', 5],
    [14, '9.2', 'DEBUG', 5],
    [16, '15', 'LOG', 9],
    [19, '9.2', 'WARNING', 13],
    [9, '15', 'UNKNOWN(9)', 9],
    [-1, '15', 'UNKNOWN(-1)', 9],
  ])('level %i of PostgreSQL %s is %s', (level, version, label, number) => {
    const context = version === undefined ? undefined : contextOf(version);
    const read = logfebe.parse(recordPayload('m', { ELevel: level }), context);
    expect(read).toMatchObject({ severityText: label, severityNumber: number });
    expect(read.attributes.get('error_severity')).toBe(label);
  });

  it('reads text that is not UTF-8, and marks it', () => {
    const payload = recordPayload('caf?');
    payload[payload.indexOf('caf?') + 3] = 0xe9;
    const read = logfebe.parse(payload);
    expect(read.body).toBe('café');
    expect(read.attributes.get('megacollector.read_as_latin1')).toBe(true);
    expect(logfebe.parse(recordPayload('café')).attributes.has('megacollector.read_as_latin1')).toBe(false);
  });

  it('keeps integers that exceed the precision of a number', () => {
    const read = logfebe.parse(recordPayload('m', { Txid: 2n ** 63n + 1n, SeqNum: -1n }));
    expect(read.attributes.get('txid')).toBe('9223372036854775809');
    expect(read.attributes.get('line_num')).toBe(-1);
  });

  it('splits addresses at the last colon', () => {
    const remote = (address: string) => {
      const { attributes } = logfebe.parse(recordPayload('m', { ClientAddr: address }));
      return [attributes.get('remote_host'), attributes.get('remote_port')];
    };
    expect(remote('::1:5432')).toEqual(['::1', 5432]);
    expect(remote('fe80::1%eth0:1')).toEqual(['fe80::1%eth0', 1]);
    expect(remote('[local]')).toEqual(['[local]', undefined]);
  });

  it('reads each notation of a location', () => {
    const place = (text: string) => {
      const { attributes } = logfebe.parse(recordPayload('m', { FileErrPos: text }));
      return [attributes.get('func_name'), attributes.get('file_name'), attributes.get('file_line_num')];
    };
    expect(place('int4div, int.c:869')).toEqual(['int4div', 'int.c', 869]);
    expect(place('int.c:869')).toEqual([undefined, 'int.c', 869]);
    expect(place('')).toEqual([undefined, undefined, undefined]);
  });

  it('reads an absent message as an empty body', () => {
    const read = logfebe.parse(recordPayload('m', { ErrMessage: null }));
    expect(read.body).toBe('');
    expect(read.attributes.has('message')).toBe(false);
  });

  it('reads an invalid record as plain, with the reason', () => {
    const read = logfebe.parse(Buffer.from('hello\n'));
    expect(read.body).toBe('hello');
    expect(read.attributes.get('megacollector.parse_error')).toBe(
      'field 1 of 23 (LogTime) does not end in the frame',
    );
  });

  it('never throws', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 300 }), (bytes) => {
        expect(logfebe.parse(bytes)).toHaveProperty('body');
      }),
    );
    const broken = fc.tuple(fc.nat(400), fc.nat(255)).map(([at, byte]) => {
      const payload = encodeLogPayload({ LogTime: '2026-11-20 07:16:15.461 UTC', ErrMessage: 'é' });
      payload[at % payload.length] = byte;
      return payload;
    });
    fc.assert(
      fc.property(broken, (payload) => {
        expect(logfebe.parse(payload)).toHaveProperty('body');
      }),
    );
  });
});
