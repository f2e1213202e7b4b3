import { execFileSync } from 'node:child_process';
import { OwnClickHouse } from '../../testkit/clickhouse/own-clickhouse.ts';

/** As in the Makefile. */
const PACKAGE = 'chdb@3.4.0';
const TIMEOUT_MS = 600_000;

/** Installs the engine of ClickHouse (546 MB) outside of the packages of the product. Throws if that is not possible. */
export function installChdb(): void {
  if (OwnClickHouse.isInstalled()) return;
  const flags = ['--no-save', '--no-audit', '--no-fund', '--loglevel=error'];
  execFileSync('npm', ['install', '--prefix', '.tmp/chdb', ...flags, PACKAGE], {
    stdio: 'pipe',
    timeout: TIMEOUT_MS,
  });
}
