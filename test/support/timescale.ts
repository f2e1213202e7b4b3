import { execFileSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { POSTGRES_PROGRAMS } from './postgres-server.ts';

/** The settings of a server with TimescaleDB. */
export const TIMESCALE_SETTINGS = {
  shared_preload_libraries: 'timescaledb',
  'timescaledb.telemetry_level': 'off',
} as const;

/** The reason why tests of TimescaleDB are skipped; undefined: the installed PostgreSQL has the extension. */
export const TIMESCALE_MISSING = reasonWithout();

function reasonWithout(): string | undefined {
  if (POSTGRES_PROGRAMS === undefined) return 'PostgreSQL is not installed';
  const isThere = sharedDirectories(POSTGRES_PROGRAMS).some((directory) =>
    existsSync(join(directory, 'extension', 'timescaledb.control')),
  );
  return isThere ? undefined : 'the extension timescaledb is not installed';
}

/** Debian's `/usr/lib/postgresql/15/bin` has `/usr/share/postgresql/15`; `pg_config` knows others. */
function sharedDirectories(programs: string): readonly string[] {
  const version = programs.split('/').at(-2) ?? '';
  const program = join(programs, 'pg_config');
  const configured = existsSync(program) ? [execFileSync(program, ['--sharedir']).toString().trim()] : [];
  return [join('/usr/share/postgresql', version), ...configured];
}
