import fc from 'fast-check';
import { describe, expect, it, test } from 'vitest';
import { syslog } from '../../../src/formats/syslog/syslog.ts';
import type { ParsedRecord } from '../../../src/records/log-record.ts';
import type { RecordContext } from '../../../src/records/record-context.ts';
import { EMPTY_RESOURCE } from '../../../src/records/resource.ts';

const unixNano = (text: string) => BigInt(Date.parse(text)) * 1_000_000n;

function contextAt(observed: string, zone?: string): RecordContext {
  const resource = zone === undefined ? EMPTY_RESOURCE : new Map([['megacollector.timezone', zone]]);
  return { resource, observedTimeUnixNano: unixNano(observed) };
}

const CONTEXT = contextAt('2026-11-28T12:00:00Z');

function parse(record: string | Uint8Array, context: RecordContext = CONTEXT): ParsedRecord {
  return syslog.parse(Buffer.from(record as string), context);
}

/** The fields of a record in short names. */
function fields(record: string | Uint8Array, context: RecordContext = CONTEXT) {
  const { timeUnixNano, body, attributes } = parse(record, context);
  const of = (name: string) => attributes.get(name);
  const all = {
    time: timeUnixNano === undefined ? undefined : new Date(Number(timeUnixNano / 1_000_000n)).toISOString(),
    host: of('host.name'),
    app: of('service.name'),
    pid: of('process.pid'),
    id: of('syslog.msg_id'),
    data: of('syslog.structured_data'),
    error: of('megacollector.parse_error'),
    body,
  };
  return Object.fromEntries(Object.entries(all).filter(([, value]) => value !== undefined));
}

describe('RFC 3164 and the variants of it', () => {
  const su = { host: 'mymachine', app: 'su', body: "'su root' failed on /dev/pts/8" };
  const TEXT = "su: 'su root' failed on /dev/pts/8";
  const at = (time: string) => ({ time, ...su });

  test.each([
    ['the example of the RFC', `<34>Oct 11 22:14:15 mymachine ${TEXT}`, at('2026-10-11T22:14:15.000Z')],
    ['a padded day', `<34>Oct  1 22:14:15 mymachine ${TEXT}`, at('2026-10-01T22:14:15.000Z')],
    ['an unpadded day', `<34>Oct 1 22:14:15 mymachine ${TEXT}`, at('2026-10-01T22:14:15.000Z')],
    ['a month in capitals', `<34>OCT 11 22:14:15 mymachine ${TEXT}`, at('2026-10-11T22:14:15.000Z')],
    ['a year after the day', `<34>Oct 11 2003 22:14:15 mymachine ${TEXT}`, at('2003-10-11T22:14:15.000Z')],
    ['a year at the end', `<34>Oct 11 22:14:15 2003 mymachine ${TEXT}`, at('2003-10-11T22:14:15.000Z')],
    ['a year first', `<34>2003 Oct 11 22:14:15 mymachine ${TEXT}`, at('2003-10-11T22:14:15.000Z')],
    ['a fraction', `<34>Oct 11 22:14:15.123 mymachine ${TEXT}`, at('2026-10-11T22:14:15.123Z')],
    ['a zone', `<34>Oct 11 22:14:15 EST mymachine ${TEXT}`, at('2026-10-12T03:14:15.000Z')],
    ['a zone as a number', `<34>Oct 11 22:14:15 +0200 mymachine ${TEXT}`, at('2026-10-11T20:14:15.000Z')],
    [
      'a clock that is not synchronised',
      `<34>*Oct 11 22:14:15 mymachine ${TEXT}`,
      at('2026-10-11T22:14:15.000Z'),
    ],
    [
      'a clock that was set by hand',
      `<34>.Oct 11 22:14:15 mymachine ${TEXT}`,
      at('2026-10-11T22:14:15.000Z'),
    ],
    ['a blank after the priority', `<34> Oct 11 22:14:15 mymachine ${TEXT}`, at('2026-10-11T22:14:15.000Z')],
    [
      'an RFC 3339 time',
      `<34>2003-10-11T22:14:15.003+02:00 mymachine ${TEXT}`,
      at('2003-10-11T20:14:15.003Z'),
    ],
    ['a time with a blank', `<34>2003-10-11 22:14:15,003 mymachine ${TEXT}`, at('2003-10-11T22:14:15.003Z')],
    ['two blanks before the tag', `<34>Oct 11 22:14:15 mymachine  ${TEXT}`, at('2026-10-11T22:14:15.000Z')],
  ])('%s', (_, record, expected) => {
    expect(fields(record)).toEqual(expected);
    expect(fields(`${record}\n`)).toEqual(expected);
    expect(fields(`${record}\r\n`)).toEqual(expected);
  });

  const TIME = { time: '2026-10-11T22:14:15.000Z' };
  test.each([
    ['h su[42]: x', { host: 'h', app: 'su', pid: 42, body: 'x' }],
    ['h su[42] x', { host: 'h', app: 'su', pid: 42, body: 'x' }],
    ['h su[42]:x', { host: 'h', app: 'su', pid: 42, body: 'x' }],
    ['h su[]: x', { host: 'h', app: 'su', body: 'x' }],
    ['su[42]: x', { app: 'su', pid: 42, body: 'x' }],
    ['su: x', { app: 'su', body: 'x' }],
    ['su:  x', { app: 'su', body: ' x' }],
    ['h su:', { host: 'h', app: 'su', body: '' }],
    ['h su: ', { host: 'h', app: 'su', body: '' }],
    ['h postfix/smtpd[7]: connect', { host: 'h', app: 'postfix/smtpd', pid: 7, body: 'connect' }],
    ['h su(pam_unix)[7]: x', { host: 'h', app: 'su(pam_unix)', pid: 7, body: 'x' }],
    ['h a_b.c-d[7]: x', { host: 'h', app: 'a_b.c-d', pid: 7, body: 'x' }],
    ['h kernel: [   12.345678] eth0: up', { host: 'h', app: 'kernel', body: '[   12.345678] eth0: up' }],
    ['h [ failed...] x', { host: 'h', body: '[ failed...] x' }],
    ['h -- MARK --', { host: 'h', body: '-- MARK --' }],
    ['h http://example.com/ is down', { host: 'h', body: 'http://example.com/ is down' }],
    [
      'h com.apple.xpc[1] (com.apple): exited',
      { host: 'h', app: 'com.apple.xpc', pid: 1, body: '(com.apple): exited' },
    ],
    ['hello', { body: 'hello' }],
    ['h last message repeated 3 times', { host: 'h', body: 'last message repeated 3 times' }],
    ['last message repeated 3 times', { body: 'last message repeated 3 times' }],
    ['Message forwarded from aix1: sshd[9]: x', { host: 'aix1', app: 'sshd', pid: 9, body: 'x' }],
    [
      'U7PG2,788a2056b182,v4.0.66: hostapd: ath0: STA',
      { host: 'U7PG2,788a2056b182,v4.0.66', app: 'hostapd', body: 'ath0: STA' },
    ],
    ['[fe80::1] su: x', { host: 'fe80::1', app: 'su', body: 'x' }],
    ['fe80::1 su: x', { host: 'fe80::1', app: 'su', body: 'x' }],
    ['10.1.1.1 su: x', { host: '10.1.1.1', app: 'su', body: 'x' }],
    ['_gateway su: x', { host: '_gateway', app: 'su', body: 'x' }],
    ['müller-pc su: grüß', { host: 'müller-pc', app: 'su', body: 'grüß' }],
    [
      'h CEF:0|Security|threatmanager|1.0|100|worm|10|',
      { host: 'h', body: 'CEF:0|Security|threatmanager|1.0|100|worm|10|' },
    ],
    ['h CEF: 0|Security|', { host: 'h', body: 'CEF: 0|Security|' }],
    ['h LEEF:2.0|Lancope|StealthWatch|', { host: 'h', body: 'LEEF:2.0|Lancope|StealthWatch|' }],
    ['h app: {"a":1}', { host: 'h', app: 'app', body: '{"a":1}' }],
  ])('host and tag of %j', (rest, expected) => {
    expect(fields(`<34>Oct 11 22:14:15 ${rest}`)).toEqual({ ...TIME, ...expected });
    // Lines of a file have no priority.
    expect(fields(`Oct 11 22:14:15 ${rest}`)).toEqual({ ...TIME, ...expected });
  });

  test.each([
    ['<13>', { body: '' }],
    ['<13>hello world', { body: 'hello world' }],
    ['<13>su: x', { app: 'su', body: 'x' }],
    ['<13>su[4]: x', { app: 'su', pid: 4, body: 'x' }],
    ['<13>2 hello', { body: '2 hello' }],
    ['<13>1', { body: '1' }],
    ['<13>1 ', { body: '1 ' }],
    ['<13>CEF:0|a|b|', { body: 'CEF:0|a|b|' }],
    ['<13>{"a":1}', { body: '{"a":1}' }],
  ])('%j without a date', (record, expected) => {
    expect(fields(record)).toEqual(expected);
  });

  test('the fields of RFC 5424 after an RFC 3339 time, as ESXi sends them', () => {
    expect(fields('<13>2024-11-28T10:00:00.123Z esx1 FIREWALL-PKTLOG - - - 27b0 INET match PASS')).toEqual({
      ...{ time: '2024-11-28T10:00:00.123Z', host: 'esx1', app: 'FIREWALL-PKTLOG' },
      body: '27b0 INET match PASS',
    });
    expect(fields('<13>2024-11-28T10:00:00Z esx1 Hostd: info hostd[2098] x')).toEqual({
      ...{ time: '2024-11-28T10:00:00.000Z', host: 'esx1', app: 'Hostd', body: 'info hostd[2098] x' },
    });
    expect(fields('<14>2024-11-28T10:00:00Z Hostd: x')).toEqual({
      ...{ time: '2024-11-28T10:00:00.000Z', app: 'Hostd', body: 'x' },
    });
  });
});

describe('devices with headers of their own', () => {
  test.each([
    [
      'IOS with a sequence number and a host',
      '<189>123: router1: 456: Oct 11 22:14:15.123 UTC: %SEC-6-IPACCESSLOGP: list 1 denied',
      {
        time: '2026-10-11T22:14:15.123Z',
        host: 'router1',
        id: 'SEC-6-IPACCESSLOGP',
        body: '%SEC-6-IPACCESSLOGP: list 1 denied',
      },
    ],
    [
      'IOS with a sequence number',
      '<187>45: *Mar  1 18:46:11.123: %SYS-5-CONFIG_I: Configured from console',
      {
        time: '2026-03-01T18:46:11.123Z',
        id: 'SYS-5-CONFIG_I',
        body: '%SYS-5-CONFIG_I: Configured from console',
      },
    ],
    [
      'IOS without a date',
      '<187>45: %LINK-3-UPDOWN: Interface down',
      { id: 'LINK-3-UPDOWN', body: '%LINK-3-UPDOWN: Interface down' },
    ],
    [
      'NX-OS',
      '<187>: 2025 Jun 25 11:27:28 GMT: %AUTHPRIV-3-SYSTEM_MSG: pam failed',
      {
        time: '2025-06-25T11:27:28.000Z',
        id: 'AUTHPRIV-3-SYSTEM_MSG',
        body: '%AUTHPRIV-3-SYSTEM_MSG: pam failed',
      },
    ],
    [
      'ASA in EMBLEM format',
      '<166>:Oct 11 22:14:15 UTC: %ASA-6-302013: Built outbound TCP',
      { time: '2026-10-11T22:14:15.000Z', id: 'ASA-6-302013', body: '%ASA-6-302013: Built outbound TCP' },
    ],
    [
      'ASA with a host and a colon after a blank',
      '<166>Oct 11 2024 22:14:15 fw1 : %ASA-6-302013: Built',
      { time: '2024-10-11T22:14:15.000Z', host: 'fw1', id: 'ASA-6-302013', body: '%ASA-6-302013: Built' },
    ],
    [
      'ASA with a colon after a blank',
      '<166>Oct 11 2024 22:14:15 : %ASA-6-302013: Built',
      { time: '2024-10-11T22:14:15.000Z', id: 'ASA-6-302013', body: '%ASA-6-302013: Built' },
    ],
    [
      'ASA without a host',
      '<166>Oct 11 2024 22:14:15: %ASA-6-302013: Built',
      { time: '2024-10-11T22:14:15.000Z', id: 'ASA-6-302013', body: '%ASA-6-302013: Built' },
    ],
    ['ASA without a date', '<166>%ASA-6-302013: Built', { id: 'ASA-6-302013', body: '%ASA-6-302013: Built' }],
    [
      'ISE with a zone and a host',
      '<181>Oct 11 22:14:15 ise1 CISE_Passed_Authentications 0000000001 1 0 text',
      {
        time: '2026-10-11T22:14:15.000Z',
        host: 'ise1',
        body: 'CISE_Passed_Authentications 0000000001 1 0 text',
      },
    ],
    [
      'Meraki',
      '<134>1 1563249630.77 MX84 flows src=10.0.0.1 dst=10.0.0.2',
      { time: '2019-07-16T04:00:30.770Z', host: 'MX84', body: 'flows src=10.0.0.1 dst=10.0.0.2' },
    ],
    [
      'Meraki with a blank before the version',
      '<134> 1 1563249630.774247467 MX84 events type=vpn',
      { time: '2019-07-16T04:00:30.774Z', host: 'MX84', body: 'events type=vpn' },
    ],
    [
      'FortiGate',
      '<189>date=2024-04-02 time=19:53:43 devname="FG100" devid="FG1" tz="+0800" type="traffic"',
      {
        time: '2024-04-02T11:53:43.000Z',
        host: 'FG100',
        body: 'date=2024-04-02 time=19:53:43 devname="FG100" devid="FG1" tz="+0800" type="traffic"',
      },
    ],
    [
      'Check Point with a semicolon between the parameters',
      '<134>1 2024-11-28T10:00:00Z gw1 CheckPoint 1930 - [action:"Accept"; flags:"4096"; ifdir:"in\\]bound"]',
      {
        ...{ time: '2024-11-28T10:00:00.000Z', host: 'gw1', app: 'CheckPoint', pid: 1930, body: '' },
        data: { checkpoint: { action: 'Accept', flags: '4096', ifdir: 'in]bound' } },
      },
    ],
  ])('%s', (_, record, expected) => {
    expect(fields(record)).toEqual(expected);
  });

  test('a Cisco message has its sequence number, and without a priority the severity of its mnemonic', () => {
    expect(parse('<189>123: h: 456: Oct 11 22:14:15: %SEC-6-X: a').attributes.get('syslog.sequence')).toBe(
      456,
    );
    const { severityNumber, severityText, attributes } = parse('Oct 11 22:14:15: %LINK-3-UPDOWN: down');
    expect({ severityNumber, severityText }).toEqual({ severityNumber: 17, severityText: 'err' });
    expect(attributes.has('syslog.facility.code')).toBe(false);
  });
});

describe('RFC 5424', () => {
  const EXAMPLE =
    '<165>1 2003-10-11T22:14:15.003Z mymachine.example.com evntslog - ID47 ' +
    '[exampleSDID@32473 iut="3" eventSource="App\\]x \\"q\\" \\\\"] \ufeffAn application event';

  test('the example of the RFC', () => {
    expect(fields(EXAMPLE)).toEqual({
      time: '2003-10-11T22:14:15.003Z',
      host: 'mymachine.example.com',
      app: 'evntslog',
      id: 'ID47',
      data: { 'exampleSDID@32473': { iut: '3', eventSource: 'App]x "q" \\' } },
      body: 'An application event',
    });
  });

  const head = '<165>1 2003-10-11T22:14:15Z h app 7 ID47 ';
  const known = { time: '2003-10-11T22:14:15.000Z', host: 'h', app: 'app', pid: 7, id: 'ID47' };

  test.each([
    ['- text', { body: 'text' }],
    ['-', { body: '' }],
    ['- ', { body: '' }],
    ['-  text', { body: ' text' }],
    ['- - text', { body: '- text' }],
    ['[a@1]', { data: { 'a@1': {} }, body: '' }],
    ['[a@1] text', { data: { 'a@1': {} }, body: 'text' }],
    ['[a@1][b@2 k="v"] text', { data: { 'a@1': {}, 'b@2': { k: 'v' } }, body: 'text' }],
    ['[a@1 k=""] text', { data: { 'a@1': { k: '' } }, body: 'text' }],
    ['[a@1 k="a\\nb"] text', { data: { 'a@1': { k: 'a\\nb' } }, body: 'text' }],
    ['[a@1 k="\\\\"] text', { data: { 'a@1': { k: '\\' } }, body: 'text' }],
    ['[a@1 k="\\\\\\""] text', { data: { 'a@1': { k: '\\"' } }, body: 'text' }],
    ['[a@1 k="a]b"] text', { data: { 'a@1': { k: 'a]b' } }, body: 'text' }],
    ['[a@1 k="grüß"] text', { data: { 'a@1': { k: 'grüß' } }, body: 'text' }],
    ['[a@1 ip="1" ip="2" ip="3"] text', { data: { 'a@1': { ip: ['1', '2', '3'] } }, body: 'text' }],
    ['[a@1 k="1"][a@1 k="2" l="3"] text', { data: { 'a@1': { k: ['1', '2'], l: '3' } }, body: 'text' }],
    ['[a@1][not an element', { data: { 'a@1': {} }, body: '[not an element' }],
    ['text without structured data', { body: 'text without structured data' }],
    ['[a@1 k="v', { error: 'the structured data has no end', body: '[a@1 k="v' }],
    ['[', { error: 'the structured data has no end', body: '[' }],
  ])('structured data %j', (rest, expected) => {
    expect(fields(head + rest)).toEqual({ ...known, ...expected });
  });

  test('names of structured data have no meaning in JavaScript', () => {
    const data = parse(`${head}[__proto__ __proto__="x" constructor="y"] m`).attributes.get(
      'syslog.structured_data',
    );
    expect(JSON.stringify(data)).toBe('{"__proto__":{"__proto__":"x","constructor":"y"}}');
    expect('x' in {}).toBe(false);
  });

  test('reads a thousand parameters', () => {
    const parameters = Array.from({ length: 1000 }, (_, index) => ` k${index}="${index}"`).join('');
    const data = parse(`${head}[a@1${parameters}] m`).attributes.get('syslog.structured_data') as {
      'a@1': Record<string, string>;
    };
    expect(Object.keys(data['a@1'])).toHaveLength(1000);
    expect(data['a@1'].k999).toBe('999');
  });

  test.each([
    ['<165>1 - - - - - -', { body: '' }],
    ['<165>1 - - - - - - text', { body: 'text' }],
    ['<165>1 - h app - - - text', { host: 'h', app: 'app', body: 'text' }],
    ['<165>1 - h app p-1 - - text', { host: 'h', app: 'app', body: 'text' }],
    ['<165>1  2003-10-11T22:14:15Z  h  app  7  ID47  - text', { ...known, body: 'text' }],
    ['<165>1 2003-10-11t22:14:15z h app 7 ID47 - text', { ...known, body: 'text' }],
    ['<165>1 2003-10-11T22:14:15+0000 h app 7 ID47 - text', { ...known, body: 'text' }],
    [
      '<165>1 2003-10-11T22:14:60Z h app 7 ID47 - x',
      { ...known, time: '2003-10-11T22:15:00.000Z', body: 'x' },
    ],
  ])('%j', (record, expected) => {
    expect(fields(record)).toEqual(expected);
  });

  test('keeps nanoseconds, and drops digits after them', () => {
    expect(parse('<1>1 2003-10-11T22:14:15.123456789Z h a - - - x').timeUnixNano).toBe(
      1_065_910_455_123_456_789n,
    );
    expect(parse('<1>1 2003-10-11T22:14:15.1234567899Z h a - - - x').timeUnixNano).toBe(
      1_065_910_455_123_456_789n,
    );
  });

  test.each(['2003-02-29T22:14:15Z', '2003-10-11T24:00:00Z', '2003-10-11T22:14Z', '2003-10-x'])(
    'keeps the text of the impossible time %s',
    (time) => {
      const { timeUnixNano, attributes, body } = parse(`<165>1 ${time} h app - - - text`);
      expect(timeUnixNano).toBeUndefined();
      expect(attributes.get('megacollector.time_raw')).toBe(time);
      expect({ host: attributes.get('host.name'), body }).toEqual({ host: 'h', body: 'text' });
    },
  );

  test('a process id that is not a number has a name of its own', () => {
    expect(parse('<165>1 - h app p-1 - - text').attributes.get('syslog.proc_id')).toBe('p-1');
    expect(parse('<165>1 - h app 007 - - text').attributes.get('syslog.proc_id')).toBe('007');
  });
});

describe('lines of files', () => {
  test('of rsyslog on Debian with ISO times', () => {
    expect(fields('2024-11-28T10:00:00.123456+00:00 web1 sshd[4242]: Accepted publickey\n')).toEqual({
      ...{ time: '2024-11-28T10:00:00.123Z', host: 'web1', app: 'sshd', pid: 4242 },
      body: 'Accepted publickey',
    });
    const { severityNumber, attributes } = parse('2024-11-28T10:00:00.123456+00:00 web1 CRON[1]: x');
    expect(severityNumber).toBeUndefined();
    expect(attributes.has('syslog.severity.code')).toBe(false);
  });
});

describe('the priority', () => {
  test.each([
    ['<34>', 4, 2, 18, 'crit'],
    ['<134>', 16, 6, 9, 'info'],
    ['<165>', 20, 5, 10, 'notice'],
    ['<13>', 1, 5, 10, 'notice'],
    ['<013>', 1, 5, 10, 'notice'],
    ['<0>', 0, 0, 21, 'emerg'],
    ['<191>', 23, 7, 5, 'debug'],
    ['<3>', 0, 3, 17, 'err'],
    ['<4>', 0, 4, 13, 'warning'],
    ['<1>', 0, 1, 19, 'alert'],
  ])('%s', (priority, facility, code, severityNumber, severityText) => {
    const read = parse(`${priority}Oct 11 22:14:15 h su: x`);
    expect(read).toMatchObject({ severityNumber, severityText });
    expect(read.attributes.get('syslog.facility.code')).toBe(facility);
    expect(read.attributes.get('syslog.severity.code')).toBe(code);
  });

  test.each(['<192>Oct 11 22:14:15 h su: x', '<1000>x', '<>x', '<12 x', '<13'])('%s is not one', (record) => {
    expect(fields(record)).toEqual({ error: 'not a priority of syslog', body: record });
  });
});

describe('the year of a time without one', () => {
  test.each([
    ['2026-11-28T12:00:00Z', 'Nov 28 11:00:00', '2026-11-28T11:00:00.000Z'],
    ['2027-01-01T00:00:05Z', 'Dec 31 23:59:58', '2026-12-31T23:59:58.000Z'],
    ['2026-12-31T23:59:58Z', 'Jan  1 00:00:01', '2027-01-01T00:00:01.000Z'],
    ['2026-12-31T10:00:00Z', 'Jan 15 00:00:01', '2027-01-15T00:00:01.000Z'],
    ['2027-01-10T10:00:00Z', 'Dec 20 00:00:01', '2026-12-20T00:00:01.000Z'],
    // A file of half a year ago is not of the future.
    ['2026-11-28T12:00:00Z', 'Apr 10 11:00:00', '2026-04-10T11:00:00.000Z'],
    ['2024-02-29T12:00:00Z', 'Feb 29 11:00:00', '2024-02-29T11:00:00.000Z'],
    ['2024-03-01T00:00:00Z', 'Feb 29 23:59:59', '2024-02-29T23:59:59.000Z'],
    ['2026-03-01T00:00:00Z', 'Feb 29 23:59:59', '2024-02-29T23:59:59.000Z'],
    ['2027-12-31T23:59:58Z', 'Feb 29 00:00:00', '2024-02-29T00:00:00.000Z'],
    ['2103-03-01T00:00:00Z', 'Feb 29 00:00:00', '2096-02-29T00:00:00.000Z'],
  ])('read at %s, %s is %s', (observed, time, expected) => {
    expect(fields(`<34>${time} h su: x`, contextAt(observed)).time).toBe(expected);
  });

  test('is unknown without a context; the text of the time is kept', () => {
    const { timeUnixNano, attributes } = syslog.parse(Buffer.from('<34>Oct 11 22:14:15 h su: x'));
    expect(timeUnixNano).toBeUndefined();
    expect(attributes.get('megacollector.time_raw')).toBe('Oct 11 22:14:15');
  });

  test('an impossible date is kept as a text', () => {
    const { timeUnixNano, attributes } = parse('<34>Feb 31 22:14:15 h su: x');
    expect(timeUnixNano).toBeUndefined();
    expect(attributes.get('megacollector.time_raw')).toBe('Feb 31 22:14:15');
    expect(attributes.get('host.name')).toBe('h');
  });
});

describe('the zone of a time without one', () => {
  test.each([
    [undefined, 'Jul 11 22:14:15', '2026-07-11T22:14:15.000Z'],
    ['Europe/Paris', 'Jul 11 22:14:15', '2026-07-11T20:14:15.000Z'],
    ['Europe/Paris', 'Jan 11 22:14:15', '2026-01-11T21:14:15.000Z'],
    ['Asia/Kolkata', 'Jul 11 22:14:15', '2026-07-11T16:44:15.000Z'],
    ['+02:00', 'Jul 11 22:14:15', '2026-07-11T20:14:15.000Z'],
    // The text has a zone: the configured one does not apply.
    ['Europe/Paris', 'Jul 11 22:14:15 UTC', '2026-07-11T22:14:15.000Z'],
    // An abbreviation with several meanings: the configured zone decides.
    ['Asia/Kolkata', 'Jul 11 22:14:15 IST', '2026-07-11T16:44:15.000Z'],
    ['Not/AZone', 'Jul 11 22:14:15', '2026-07-11T22:14:15.000Z'],
  ])('with the zone %s, %s is %s', (zone, time, expected) => {
    expect(fields(`<34>${time} h su: x`, contextAt('2026-11-28T12:00:00Z', zone))).toMatchObject({
      ...{ time: expected, host: 'h', app: 'su' },
    });
  });

  test('the zone of the peer comes before that of the source', () => {
    const context = {
      ...contextAt('2026-11-28T12:00:00Z', 'Europe/Paris'),
      peer: new Map([['megacollector.timezone', 'America/New_York']]),
    };
    expect(fields('<34>Jul 11 22:14:15 h su: x', context).time).toBe('2026-07-12T02:14:15.000Z');
  });
});

describe('the host of a message without one', () => {
  const peer = new Map([['network.peer.address', '192.0.2.7']]);

  test.each(['<13>hello world', '<13>Oct 11 22:14:15 su: x', 'garbage', '{"msg":"m"}'])(
    '%j is the peer',
    (record) => {
      expect(fields(record, { ...CONTEXT, peer }).host).toBe('192.0.2.7');
      expect(fields(record, { ...CONTEXT, resource: peer }).host).toBe('192.0.2.7');
      expect(fields(record).host).toBeUndefined();
    },
  );

  it('is not replaced if the message has it', () => {
    expect(fields('<13>Oct 11 22:14:15 h su: x', { ...CONTEXT, peer }).host).toBe('h');
  });
});

describe('text that is not UTF-8', () => {
  test('is read as Windows-1252, and marked', () => {
    const { body, attributes } = parse(
      Buffer.from('<34>Oct 11 22:14:15 m\xfcller su: gr\xfc\xdf 5 \x80', 'latin1'),
    );
    expect(body).toBe('grüß 5 €');
    expect(attributes.get('host.name')).toBe('müller');
    expect(attributes.get('megacollector.encoding_guessed')).toBe('windows-1252');
    expect(attributes.get('megacollector.invalid_utf8')).toBe(true);
  });

  test('is UTF-8 if only its last character is incomplete', () => {
    const whole = Buffer.from('<34>Oct 11 22:14:15 h su: grüß €');
    const { body, attributes } = parse(Buffer.concat([whole.subarray(0, -1), Buffer.from('\n')]));
    expect(body).toBe('grüß \ufffd');
    expect(attributes.has('megacollector.encoding_guessed')).toBe(false);
    expect(attributes.get('megacollector.invalid_utf8')).toBe(true);
  });
});

describe('the text', () => {
  test('keeps line ends and control characters inside, and ends before a NUL', () => {
    expect(parse('<34>Oct 11 22:14:15 h app: one\n\ttwo\x1b[0m\0\0\n').body).toBe('one\n\ttwo\x1b[0m');
  });

  test('has no trusted properties of rsyslog; they are attributes', () => {
    const read = parse(
      '<86>Oct 11 22:14:15 h sudo: x ran @[_PID=5096 _UID=0 _COMM=sudo _EXE=/usr/bin/sudo _CMDLINE="sudo ls -l"]',
    );
    expect(read.body).toBe('x ran');
    expect(read.attributes.get('syslog.trusted')).toEqual({
      ...{ pid: '5096', uid: '0', comm: 'sudo', exe: '/usr/bin/sudo', cmdline: 'sudo ls -l' },
    });
    expect(parse('<86>Oct 11 22:14:15 h app: mail @[_not properties]').body).toBe('mail @[_not properties]');
  });

  test('of Common Event Expression keeps its text; its fields are attributes', () => {
    const read = parse(
      '<86>Oct 11 22:14:15 h app: @cee: {"user":"jane","order":{"id":7},"host.name":"other"}',
    );
    expect(read.body).toBe('@cee: {"user":"jane","order":{"id":7},"host.name":"other"}');
    expect(read.attributes.get('user')).toBe('jane');
    expect(read.attributes.get('order')).toEqual({ id: 7 });
    expect(read.attributes.get('host.name')).toBe('h');
    expect(parse('<86>Oct 11 22:14:15 h app: @cee: {"broken').body).toBe('@cee: {"broken');
  });
});

describe('a JSON object', () => {
  test("with the keys of pyloggr and rsyslog's template", () => {
    const object = {
      ...{ timereported: '2015-05-05T10:11:12.123+02:00', timegenerated: '2015-05-05T11:00:00Z' },
      ...{ message: 'it broke', source: 'web1', severity: 'err', facility: 'local0' },
      ...{ app_name: 'shop', procid: '42', structured_data: { 'a@1': { k: ['v'] } }, tags: ['x'] },
    };
    const read = parse(`${JSON.stringify(object)}\n`);
    expect(fields(JSON.stringify(object))).toEqual({
      ...{ time: '2015-05-05T08:11:12.123Z', host: 'web1', app: 'shop', pid: 42, body: 'it broke' },
      data: { 'a@1': { k: ['v'] } },
    });
    expect(read.severityNumber).toBe(17);
    expect(read.attributes.get('syslog.facility.code')).toBe(16);
    expect(read.attributes.get('tags')).toEqual(['x']);
  });

  test('with other keys is read like the format json', () => {
    const read = parse('{"time":"2026-01-01T00:00:00Z","level":"warn","msg":"m","source":"queue"}');
    expect(read).toMatchObject({ body: 'm', severityNumber: 13 });
    expect(Object.fromEntries(read.attributes)).toEqual({ source: 'queue' });
  });

  test('that is not valid is kept as text', () => {
    expect(fields('{"broken')).toEqual({ error: 'not valid JSON', body: '{"broken' });
  });
});

describe('a record that is not syslog', () => {
  test.each([
    'garbage',
    '',
    '2015 something',
    'POST / HTTP/1.1',
    '\0\0',
    '<x>',
    '1 2003-10-11T22:14:15Z h a - - - x',
  ])('%j is kept with the reason', (record) => {
    expect(fields(record)).toEqual({ error: 'not a message of syslog', body: record });
  });
});

const RUNS = Number(process.env.FUZZ_RUNS ?? 50_000);

/** Pieces of headers, whole and broken. */
const PIECES = [
  ...[
    '<34>',
    '<999>',
    '<',
    '>',
    '1 ',
    '123: ',
    ': ',
    ':',
    ' ',
    '  ',
    '[',
    ']',
    '"',
    '\\',
    '=',
    '-',
    '- ',
    '%',
  ],
  ...[
    'Oct 11 22:14:15 ',
    'Feb 29 ',
    '2025 Jun 25 11:27:28 GMT: ',
    '2003-10-11T22:14:15.003Z ',
    '22:14:15',
    '.123',
  ],
  ...[
    '*',
    'UTC: ',
    'EST ',
    '+02:00',
    'host ',
    'su[1]: ',
    'su: ',
    '%ASA-6-302013: ',
    '[a@1 k="v"]',
    '[a:"b"; ',
  ],
  ...[
    'date=2024-04-02 time=19:53:43 ',
    '1 1563249630.77 ',
    '@cee: {',
    '} ',
    ' @[_PID=1]',
    'last message repeated ',
  ],
  ...[
    'Message forwarded from h: ',
    '\ufeff',
    '\xff',
    '\0',
    '\n',
    '\r\n',
    'ü',
    'CEF:0|',
    '{"a":',
    '99999999999999999999',
  ],
];

/** A generator of numbers that always gives the same ones: a failure can be repeated. */
function numbers(seed: number): (below: number) => number {
  let state = seed;
  return (below) => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return Math.floor((state / 2 ** 32) * below);
  };
}

test(`no header of ${RUNS} random ones throws or loses the text`, { timeout: 600_000 }, () => {
  const next = numbers(20_261_128);
  for (let run = 0; run < RUNS; run++) {
    const parts = Array.from({ length: 1 + next(12) }, () => PIECES[next(PIECES.length)] ?? '');
    const record = Buffer.from(parts.join(''), next(4) === 0 ? 'latin1' : 'utf8');
    for (let change = next(3); change > 0 && record.length > 0; change--)
      record[next(record.length)] = next(256);
    const read = syslog.parse(record, CONTEXT);
    if (typeof read.body !== 'string' || !(read.attributes instanceof Map)) throw new Error(parts.join(''));
    if (read.attributes.has('megacollector.parse_error') || run % 97 === 0)
      JSON.stringify([...read.attributes]);
  }
});

test('a long record needs linear time', () => {
  for (const piece of ['[a@1 k="v"', '[', 'a:', '1: ', ' ', '\\"', ' @[_A=b', '%A-1-B', 'Oct 11 ']) {
    const record = Buffer.from(`<34>1 2003-10-11T22:14:15Z h a - - ${piece.repeat(100_000)}]`);
    expect(() => syslog.parse(record, CONTEXT)).not.toThrow();
    expect(() => syslog.parse(Buffer.from(`<34>${piece.repeat(100_000)}`), CONTEXT)).not.toThrow();
    expect(() =>
      syslog.parse(Buffer.from(`<34>Oct 11 22:14:15 ${piece.repeat(100_000)}`), CONTEXT),
    ).not.toThrow();
  }
});

test('reads the structured data that was written', () => {
  const name = fc.stringMatching(/^[a-zA-Z0-9@._-]{1,32}$/);
  const data = fc.dictionary(name, fc.dictionary(name, fc.string({ unit: 'grapheme' }), { maxKeys: 4 }), {
    ...{ minKeys: 1, maxKeys: 3 },
  });
  fc.assert(
    fc.property(data, (elements) => {
      const text = Object.entries(elements)
        .map(([id, values]) => {
          const parameters = Object.entries(values).map(
            ([key, value]) => ` ${key}="${value.replace(/["\\\]]/g, '\\$&')}"`,
          );
          return `[${id}${parameters.join('')}]`;
        })
        .join('');
      const read = parse(`<165>1 2003-10-11T22:14:15Z h app - - ${text} the text`);
      expect(read.attributes.get('syslog.structured_data')).toEqual(elements);
      expect(read.body).toBe('the text');
    }),
  );
});
