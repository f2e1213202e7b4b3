import { existsSync } from 'node:fs';
import { delimiter, join } from 'node:path';
import { installChdb } from './chdb.ts';
import { unpackDebianPackages } from './debian-packages.ts';
import { installPackage } from './install-package.ts';
import { RSYSLOG_PACKAGES } from './rsyslog.ts';
import { SYSLOG_NG_PACKAGES } from './syslog-ng.ts';

/**
 * Provides the real programs that the tests use. The senders of syslog (rsyslog, syslog-ng, socat, busybox) are
 * unpacked outside of the system; openssl, PostgreSQL and RabbitMQ are installed if that is permitted. Missing programs are reported here, and the
 * tests skip them by name.
 */
const has = (program: string) =>
  (process.env.PATH ?? '').split(delimiter).some((directory) => existsSync(join(directory, program)));

async function prepare(what: string, bring: () => unknown): Promise<void> {
  try {
    await bring();
  } catch (error) {
    const [reason = ''] = (error as Error).message.split('\n');
    console.error(`NOT AVAILABLE: ${what}; its tests will be skipped (${reason})`);
  }
}

await prepare('openssl', () => has('openssl') || installPackage('openssl'));
await prepare('PostgreSQL', () => existsSync('/usr/lib/postgresql') || installPackage('postgresql'));
await prepare('RabbitMQ', () => existsSync('/usr/lib/rabbitmq') || installPackage('rabbitmq-server'));
await prepare(
  'systemd-journal-remote',
  () => existsSync('/lib/systemd/systemd-journal-remote') || installPackage('systemd-journal-remote'),
);
await prepare('promtool', () => has('promtool') || installPackage('prometheus'));
await prepare('chdb', () => installChdb());
await prepare('rsyslog', () => unpackDebianPackages(RSYSLOG_PACKAGES));
await prepare('syslog-ng', () => unpackDebianPackages(SYSLOG_NG_PACKAGES));
await prepare('socat', () => unpackDebianPackages(['socat']));
await prepare('busybox', () => unpackDebianPackages(['busybox']));
await prepare('Chromium', () => has('chromium') || installPackage('chromium'));
