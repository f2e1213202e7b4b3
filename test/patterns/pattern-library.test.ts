import { describe, expect, it } from 'vitest';
import { PATTERN_LIBRARY } from '../../src/patterns/pattern-library.ts';
import { PatternSet } from '../../src/patterns/pattern-set.ts';

const library = new PatternSet([PATTERN_LIBRARY]);

function fieldsOf(name: string, text: string): Record<string, string> {
  const pattern = library.compile(`^%{${name}}`);
  const match = pattern.exec(text);
  if (match === undefined) throw new Error(`${name} does not match ${text}`);
  const pairs = pattern.fields.map((field, at) => [field.name, match.values[at]] as const);
  return Object.fromEntries(pairs.filter((pair): pair is [string, string] => pair[1] !== undefined));
}

describe('the library of patterns', () => {
  it.each(library.names)('has a linear pattern %s', (name) => {
    expect(library.compileNamed(name).verdict).toBe('linear');
  });

  it.each([
    [
      'NGINX_ACCESS',
      '192.0.2.1 - - [20/Nov/2026:10:00:00 +0000] "GET /cart HTTP/1.1" 500 42 "-" "curl/8"',
      { 'client.address': '192.0.2.1', 'http.response.status_code': '500', 'user_agent.original': 'curl/8' },
    ],
    [
      'NGINX_ERROR',
      '2026/11/20 10:00:00 [error] 7#8: *9 open() failed (2: No such file), client: 192.0.2.1, server: a, request: "GET /x HTTP/1.1", host: "a"',
      { 'log.level': 'error', message: 'open() failed (2: No such file)', 'url.original': '/x' },
    ],
    [
      'SSHD_SECURITY',
      'Failed password for invalid user root from 10.1.1.1 port 22 ssh2',
      { 'user.name': 'root', 'client.address': '10.1.1.1', 'auth.reason': 'invalid user' },
    ],
    [
      'SSHD_NORMAL',
      'Accepted publickey for bob from 2001:db8::1 port 5022 ssh2: ED25519 SHA256:x',
      { 'user.name': 'bob', 'client.address': '2001:db8::1' },
    ],
    [
      'SUDO_NORMAL',
      'bob : TTY=pts/0 ; PWD=/home/bob ; USER=root ; COMMAND=/bin/ls -l',
      { 'user.name': 'bob', 'process.command_line': '/bin/ls -l' },
    ],
    [
      'SUDO_SECURITY',
      'bob : user NOT in sudoers ; TTY=pts/0 ; PWD=/ ; USER=root ; COMMAND=/bin/sh',
      { 'auth.reason': 'user NOT in sudoers' },
    ],
    [
      'POSTFIX',
      '4B1A2C3D4E: to=<a@example.org>, relay=mx.example.org[192.0.2.7]:25, delay=1.2, delays=0.1/0/0.5/0.6, dsn=2.0.0, status=sent (250 ok)',
      { 'email.to': 'a@example.org', 'email.status': 'sent', 'email.delay': '1.2' },
    ],
    [
      'POSTFIX_REJECT',
      'NOQUEUE: reject: RCPT from unknown[192.0.2.9]: 554 5.7.1 Relay access denied; from=<a@b> to=<c@d> proto=ESMTP helo=<x>',
      { 'smtp.stage': 'RCPT', 'email.to': 'c@d' },
    ],
    [
      'DOVECOT_NORMAL',
      'imap-login: Login: user=<bob>, method=PLAIN, rip=192.0.2.1, lip=192.0.2.2, mpid=7, TLS',
      { 'user.name': 'bob', 'client.address': '192.0.2.1' },
    ],
    [
      'DOVECOT_SECURITY',
      'imap-login: Disconnected (auth failed, 1 attempts in 2 secs): user=<bob>, method=PLAIN, rip=192.0.2.1, lip=192.0.2.2',
      { 'user.name': 'bob' },
    ],
    [
      'UFW',
      '[12.3] [UFW BLOCK] IN=eth0 OUT= MAC=00:11 SRC=192.0.2.1 DST=192.0.2.2 LEN=40 TOS=0x00 PROTO=TCP SPT=443 DPT=22 WINDOW=1',
      { 'firewall.action': 'BLOCK', 'source.address': '192.0.2.1', 'destination.port': '22' },
    ],
    [
      'SHOREWALL',
      'Shorewall:net2fw:DROP:IN=eth0 OUT= SRC=192.0.2.1 DST=192.0.2.2 LEN=40 PROTO=ICMP TYPE=8',
      { 'firewall.chain': 'net2fw', 'network.transport': 'ICMP' },
    ],
    [
      'SYSLOGLINE',
      'Nov 20 10:00:00 web1 sshd[77]: hello',
      { 'host.name': 'web1', 'service.name': 'sshd', 'process.pid': '77', message: 'hello' },
    ],
    ['TIMESTAMP_ISO8601', '2026-11-20T10:00:00.123+01:00', {}],
    ['URI', 'https://bob@example.org:8443/a/b?c=d', {}],
    ['CISCO_ASA', '%ASA-6-302013: Built inbound TCP', { 'cisco.facility': 'ASA', 'cisco.severity': '6' }],
    ['CRON_COMMAND', '(root) CMD (run-parts /etc/cron.hourly)', { 'user.name': 'root' }],
  ] as const)('reads fields with %s', (name, text, fields) => {
    expect(fieldsOf(name, text)).toMatchObject(fields);
  });
});
