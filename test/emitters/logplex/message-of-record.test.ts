import { describe, expect, it } from 'vitest';
import { type MessageStyle, messageOfRecord } from '../../../src/emitters/logplex/message-of-record.ts';
import { recordView } from '../../../src/formats/record-view.ts';
import type { LogPayloadFields } from '../../../src/protocols/febe/encode-log-payload.ts';
import { recordPayload } from '../../support/febe-frames.ts';
import { recordBatch } from '../../support/record-batches.ts';

const CLASSIC: MessageStyle = { text: 'classic', host: undefined };
const STRUCTURED: MessageStyle = { text: 'structured', host: undefined };

const division: LogPayloadFields = {
  ErrDetail: 'by\nzero',
  ErrHint: 'do not',
  ErrContext: 'SQL function "f"',
  UserQuery: 'select 1/0',
  UserQueryPos: 9,
  SQLState: '22012',
  ELevel: 21,
};

function postgres(fields: LogPayloadFields = {}, message = 'division by zero') {
  const resource = new Map([
    ['host.name', 'db-host'],
    ['postgresql.version', '15.20'],
  ]);
  return recordView(recordBatch([recordPayload(message, fields)], { format: 'logfebe', resource }), 0);
}

describe('classic', () => {
  it('equals the format of pg_logplexcollector', () => {
    expect(messageOfRecord(postgres({ UserQuery: 'select 1/0' }), CLASSIC, 'db1')).toEqual({
      priority: 134,
      timeUnixNano: BigInt(Date.parse('2026-11-20T07:16:15.461Z')) * 1_000_000n,
      host: 'postgres',
      processId: 'postgres.4242',
      text: '[db1] division by zero\nQuery: select 1/0\n',
    });
  });

  it('has message, detail, hint and query on separate lines, and no label without a name', () => {
    const { text, priority } = messageOfRecord(postgres(division), CLASSIC, undefined);
    expect(text).toBe('division by zero\nDetail: by\nzero\nHint: do not\nQuery: select 1/0\n');
    expect(priority).toBe(134);
    expect(messageOfRecord(postgres({ ErrHint: '' }, ''), CLASSIC, '').text).toBe('[] \nHint: \n');
  });

  it('applies to every PostgreSQL format', () => {
    const json =
      '{"timestamp":"2026-11-20 07:16:15.461 UTC","pid":7,"error_severity":"ERROR","message":"m","statement":"s"}\n';
    const record = recordView(recordBatch([json], { format: 'postgres-jsonlog' }), 0);
    expect(messageOfRecord(record, CLASSIC, undefined)).toMatchObject({
      processId: 'postgres.7',
      text: 'm\nQuery: s\n',
    });
  });
});

describe('structured', () => {
  it("is the record as PostgreSQL's jsonlog, with its own severity and host", () => {
    const message = messageOfRecord(postgres(division), STRUCTURED, 'db1');
    expect(message).toMatchObject({ priority: 131, host: 'db-host', processId: '4242' });
    expect(JSON.parse(message.text)).toEqual({
      timestamp: '2026-11-20 07:16:15.461 UTC',
      user: 'u',
      dbname: 'd',
      pid: 4242,
      remote_host: '[local]',
      session_id: '554d3667.1092',
      line_num: 1,
      ps: 'SELECT',
      session_start: '2026-11-20 07:16:15 UTC',
      txid: 0,
      error_severity: 'ERROR',
      state_code: '22012',
      message: 'division by zero',
      detail: 'by\nzero',
      hint: 'do not',
      context: 'SQL function "f"',
      statement: 'select 1/0',
      cursor_position: 9,
    });
    expect(message.text).toMatch(/^\{"timestamp":"2026-11-20 07:16:15.461 UTC","user":"u",/);
  });

  it.each([
    [14, 135],
    [15, 134],
    [18, 133],
    [19, 132],
    [21, 131],
    [22, 130],
    [23, 129],
    [99, 131],
  ])('has the severity of level %i: %i', (ELevel, priority) => {
    expect(messageOfRecord(postgres({ ELevel }), STRUCTURED, undefined).priority).toBe(priority);
  });
});

describe('any other record', () => {
  const view = (text: string, format: string) => recordView(recordBatch([text], { format }), 0);

  it.each([CLASSIC, STRUCTURED])('is sent as its body: %j', (style) => {
    expect(messageOfRecord(view('a line\n', 'plain'), style, 'label')).toEqual({
      priority: 134,
      timeUnixNano: 1_700_000_000_000_000_000n,
      host: 'test-host',
      processId: '',
      text: 'a line',
    });
    const json = view('{"level":"error","msg":"it broke","time":"2026-01-02T03:04:05Z"}\n', 'json');
    expect(messageOfRecord(json, style, undefined)).toMatchObject({ priority: 131, text: 'it broke' });
  });

  it('has the host that the record brings itself', () => {
    const own = view('{"host.name":"firewall-1","msg":"m"}\n', 'json');
    expect(messageOfRecord(own, STRUCTURED, undefined).host).toBe('firewall-1');
  });

  it('includes an invalid logfebe record', () => {
    const { text, priority, host } = messageOfRecord(view('not a record', 'logfebe'), CLASSIC, 'db1');
    expect({ text, priority, host }).toEqual({ text: 'not a record', priority: 134, host: 'test-host' });
  });

  it('has the configured host', () => {
    expect(messageOfRecord(view('a\n', 'plain'), { text: 'classic', host: 'h' }, undefined).host).toBe('h');
    expect(messageOfRecord(postgres(), { text: 'classic', host: 'h' }, undefined).host).toBe('h');
  });
});
