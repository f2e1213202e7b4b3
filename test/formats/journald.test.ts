import { describe, expect, test } from 'vitest';
import { journald } from '../../src/formats/journald.ts';
import { binaryField } from '../../src/protocols/journal-export/export-parser.ts';

const parse = (...parts: readonly (string | Buffer)[]) =>
  journald.parse(Buffer.concat([...parts.map((part) => Buffer.from(part)), Buffer.from('\n')]));

describe('the format journald', () => {
  test('reads time, severity, message and well-known fields', () => {
    const parsed = parse(
      '__CURSOR=s=1\n__REALTIME_TIMESTAMP=1700000000000001\n__MONOTONIC_TIMESTAMP=5\n',
      '_BOOT_ID=ab\nMESSAGE=started\nPRIORITY=3\n_PID=42\n_COMM=sshd\n_HOSTNAME=web1\n',
      '_SYSTEMD_UNIT=ssh.service\nSYSLOG_IDENTIFIER=sshd\nMY_FIELD=x=y\n',
    );
    expect(parsed).toMatchObject({
      ...{
        timeUnixNano: 1_700_000_000_000_001_000n,
        severityNumber: 17,
        severityText: 'err',
        body: 'started',
      },
    });
    expect(Object.fromEntries(parsed.attributes)).toEqual({
      'host.boot.id': 'ab',
      'process.pid': 42,
      'process.executable.name': 'sshd',
      'host.name': 'web1',
      'systemd.unit': 'ssh.service',
      'service.name': 'sshd',
      MY_FIELD: 'x=y',
    });
  });

  test('reads a message of several lines and bytes that are not UTF-8', () => {
    const parsed = parse(binaryField('MESSAGE', Buffer.from('one\ntwo')), binaryField('X', Buffer.of(0xff)));
    expect(parsed.body).toBe('one\ntwo');
    expect(Object.fromEntries(parsed.attributes)).toEqual({
      X: '\ufffd',
      'megacollector.invalid_utf8': true,
    });
  });

  test('makes a list of a field that occurs several times', () => {
    expect(parse('A=1\nA=2\nA=3\n').attributes.get('A')).toEqual(['1', '2', '3']);
  });

  test('keeps a priority and a time that it cannot read', () => {
    const parsed = parse('PRIORITY=high\n__REALTIME_TIMESTAMP=yesterday\nMESSAGE=m\n');
    expect(parsed.severityNumber).toBeUndefined();
    expect(parsed.timeUnixNano).toBeUndefined();
    expect(Object.fromEntries(parsed.attributes)).toEqual({
      PRIORITY: 'high',
      __REALTIME_TIMESTAMP: 'yesterday',
    });
  });

  test('reads other bytes as plain text with the reason', () => {
    const parsed = journald.parse(Buffer.from('hello\n'));
    expect(parsed.body).toBe('hello');
    expect(parsed.attributes.get('megacollector.parse_error')).toMatch(/export format/);
  });
});
