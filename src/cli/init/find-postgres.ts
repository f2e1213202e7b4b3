import { SAMPLE_BYTES } from '../../formats/guess-format.ts';
import { groupBy } from '../../runtime/group-by.ts';
import { accessAdvice } from './access-advice.ts';
import { formatOf } from './find-log-files.ts';
import type { FoundFile, LeftOut } from './findings.ts';
import type { MachineFiles } from './machine-files.ts';

export interface FoundPostgres {
  readonly files: readonly FoundFile[];
  readonly leftOut: readonly LeftOut[];
  readonly notes: readonly string[];
}

const LOG_DIRECTORIES = ['log', 'pg_log'];
const LOG_NAME = /\.(?:log|csv|json)$/;

/** The logs of PostgreSQL in its data directories; those in /var/log are found with the others. */
export async function findPostgres(files: MachineFiles): Promise<FoundPostgres> {
  const found: FoundFile[] = [];
  const leftOut: LeftOut[] = [];
  const notes: string[] = [];
  for (const { data, configuration } of await clusters(files)) {
    if ((await files.text(configuration)).match(PRELOADS) !== null)
      notes.push(
        `PostgreSQL loads pg_logfebe (${configuration}): it can send its log to a collector; see docs/postgresql.md, SERVE_DB_DIR`,
      );
    if (await files.isReadableDirectory(data)) {
      for (const name of LOG_DIRECTORIES) found.push(...(await logsIn(files, `${data}/${name}`)));
    } else if ((await files.stat(data)) !== undefined) {
      const closed = Object.assign(new Error(), { code: 'EACCES' });
      leftOut.push({ path: data, reason: await accessAdvice(files, data, closed) });
    }
  }
  return { files: found, leftOut, notes };
}

const PRELOADS = /^\s*shared_preload_libraries\s*=.*\bpg_logfebe\b/m;

interface Cluster {
  readonly data: string;
  readonly configuration: string;
}

/** As Debian (version/name), and as Red Hat (version/data, data) install it. */
async function clusters(files: MachineFiles): Promise<readonly Cluster[]> {
  const found: Cluster[] = [];
  for (const version of await directoriesIn(files, '/var/lib/postgresql')) {
    for (const name of await directoriesIn(files, `/var/lib/postgresql/${version}`))
      found.push({
        data: `/var/lib/postgresql/${version}/${name}`,
        configuration: `/etc/postgresql/${version}/${name}/postgresql.conf`,
      });
  }
  for (const version of await directoriesIn(files, '/var/lib/pgsql')) {
    const data = version === 'data' ? '/var/lib/pgsql/data' : `/var/lib/pgsql/${version}/data`;
    found.push({ data, configuration: `${data}/postgresql.conf` });
  }
  return found;
}

const PLAIN_NAME = /^[\w.-]+$/;

async function directoriesIn(files: MachineFiles, path: string): Promise<readonly string[]> {
  const entries = await files.list(path).catch(() => []);
  return entries
    .filter(({ kind, name }) => kind === 'directory' && PLAIN_NAME.test(name))
    .map(({ name }) => name);
}

/** One glob for each kind of file: PostgreSQL begins new files with the time in their names. */
async function logsIn(files: MachineFiles, path: string): Promise<readonly FoundFile[]> {
  const entries = await files.list(path).catch(() => []);
  const logs = entries.filter(({ kind, name }) => kind === 'file' && LOG_NAME.test(name));
  const kinds = groupBy(logs, ({ name }) => name.slice(name.lastIndexOf('.')));
  const found: FoundFile[] = [];
  for (const [suffix, ofKind] of kinds) {
    const newest = ofKind.at(-1)?.path ?? '';
    const bytes = await files.beginning(newest, SAMPLE_BYTES).catch(() => 'not-a-file' as const);
    if (bytes === 'not-a-file') continue;
    found.push({
      path: `${path}/*${suffix}`,
      format: formatOf(bytes),
      bytes: (await files.stat(newest))?.size ?? 0,
    });
  }
  return found;
}
