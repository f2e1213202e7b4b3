import { expect, test } from 'vitest';
import { parsedRecord, recordsAfter } from '../../src/filters/filter-tests.ts';
import { filterTables } from '../support/filter-tables.ts';
import { filterProgram } from '../support/run-filter.ts';

/** The structure of the program that pyloggr ships: nginx, firewall, sudo, sshd, dovecot, postfix. */
const PROGRAM = `
# web server
if app_name == "nginx" {
    if grok("MISSING_FILE", "ACCESS_LOG") { tags += "nginx" }
    if "agent" in custom_fields { useragent([agent], prefix="") }
    if "client_ip" in custom_fields {
        if geoip([client_ip], prefix="geoip_") { tags += "geolocated" }
    }
    stop
}
# firewall
if (facility=="kern") {
    if grok("SHOREWALL", "UFW") {
        tags += "firewall"
        if geoip([source.address]) { tags += "geolocated" }
    }
}
if app_name == "sudo" { if grok("SUDO_SECURITY") { tags += "security" } else { grok("SUDO_NORMAL") } }
if app_name ~* "sshd" { if grok("SSHD_SECURITY") { tags += "security" } else { grok("SSHD_NORMAL") } }
if app_name == "dovecot" {
    if grok("DOVECOT_SECURITY") { tags += "security" } else { grok("DOVECOT_NORMAL") }
}
if app_name ~* "postfix" { grok("POSTFIX", "POSTFIX_ERRORS") }
`;

/** As in pyloggr's pattern files: own names of patterns and fields. */
const PATTERNS = {
  MISSING_FILE: '"%{PATH:path}" failed',
  ACCESS_LOG:
    '%{IP:client_ip} - - \\[%{HTTPDATE:when}\\] "%{DATA:request}" %{INT:status:int} %{INT:size:int} "%{DATA:referer}" "%{DATA:agent}"',
};

function outcome(line: string) {
  const program = filterProgram(PROGRAM, undefined, filterTables(PATTERNS));
  const record = parsedRecord('syslog', line, new Map());
  const [after] = recordsAfter(record, program.run(record));
  expect(program.errors.samples).toEqual([]);
  return Object.fromEntries(after?.attributes ?? []);
}

test('an access of nginx gets its fields, browser and place', () => {
  const agent = 'Mozilla/5.0 (X11; Linux x86_64; rv:120.0) Gecko/20100101 Firefox/120.0';
  const line = `<190>Oct 11 22:14:15 web nginx: 81.2.69.142 - - [11/Oct/2026:22:14:15 +0000] "GET / HTTP/1.1" 200 12 "-" "${agent}"`;
  expect(outcome(line)).toMatchObject({
    status: 200,
    tags: ['nginx', 'geolocated'],
    browser: 'Firefox',
    browser_os: 'Linux',
    geoip_city: 'Paris',
    geoip_country_iso: 'FR',
  });
});

test('a blocked packet gets its addresses', () => {
  const line =
    '<4>Oct 11 22:14:15 fw kernel: [12.3] [UFW BLOCK] IN=eth0 OUT= MAC=00 SRC=81.2.69.142 DST=10.0.0.2 LEN=40 PROTO=TCP SPT=4 DPT=22 WINDOW=1';
  expect(outcome(line)).toMatchObject({
    tags: ['firewall', 'geolocated'],
    'source.address': '81.2.69.142',
    'destination.port': 22,
    'geo.locality.name': 'Paris',
  });
});

test.each([
  [
    '<86>Oct 11 22:14:15 h sudo: bob : user NOT in sudoers ; TTY=pts/0 ; PWD=/ ; USER=root ; COMMAND=/bin/sh',
    ['security'],
    'bob',
  ],
  ['<86>Oct 11 22:14:15 h sudo: bob : TTY=pts/0 ; PWD=/ ; USER=root ; COMMAND=/bin/sh', undefined, 'bob'],
  [
    '<38>Oct 11 22:14:15 h sshd[7]: Failed password for root from 10.1.1.1 port 22 ssh2',
    ['security'],
    'root',
  ],
  ['<38>Oct 11 22:14:15 h sshd[7]: Accepted publickey for eve from 10.1.1.1 port 22 ssh2', undefined, 'eve'],
  [
    '<22>Oct 11 22:14:15 h dovecot: imap-login: Login: user=<ann>, method=PLAIN, rip=10.1.1.1, lip=10.1.1.2, mpid=3, TLS',
    undefined,
    'ann',
  ],
  [
    '<22>Oct 11 22:14:15 h dovecot: imap-login: Disconnected (auth failed, 1 attempts): user=<ann>, method=PLAIN, rip=10.1.1.1, lip=10.1.1.2',
    ['security'],
    'ann',
  ],
])('%s', (line, tags, user) => {
  const found = outcome(line);
  expect(found['user.name']).toBe(user);
  expect(found['tags']).toEqual(tags);
});

test('a delivery of postfix gets its fields', () => {
  const line =
    '<22>Oct 11 22:14:15 h postfix/smtp[9]: 4F2C0A1B: to=<a@example.com>, relay=mx[10.0.0.1]:25, delay=0.4, delays=0.1/0/0.1/0.2, dsn=2.0.0, status=sent (250 ok)';
  expect(outcome(line)).toMatchObject({
    'email.to': 'a@example.com',
    'email.status': 'sent',
    'email.delay': 0.4,
  });
});
