import { execFileSync } from 'node:child_process';
import { chmod, chown, mkdir, readFile, stat, symlink, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { describe, expect, test } from 'vitest';
import type { Findings } from '../../../src/cli/init/findings.ts';
import { lookAtMachine } from '../../../src/cli/init/look-at-machine.ts';
import { run } from '../../../src/cli/run.ts';
import { asUnprivileged } from '../../support/as-unprivileged.ts';
import { capturedIo } from '../../support/captured-io.ts';
import { temporaryDirectory } from '../../support/temporary-directory.ts';

const ACCESS = '10.0.0.1 - - [31/Jan/2026:10:00:00 +0000] "GET /a HTTP/1.1" 200 5 "-" "curl"\n';
const JSON_LINE = '{"time":"2026-01-31T10:00:00Z","level":"info","msg":"hello"}\n';

/** A made-up machine: files by their paths. */
async function machine(files: Readonly<Record<string, string>>): Promise<string> {
  const root = await temporaryDirectory();
  await chmod(root, 0o755);
  for (const [path, text] of Object.entries(files)) {
    await mkdir(dirname(join(root, path)), { recursive: true });
    await writeFile(join(root, path), text);
  }
  return root;
}

async function init(argv: readonly string[]) {
  const { io, stdout, stderr } = capturedIo();
  const exitCode = await run(['init', ...argv], io);
  return { exitCode, stdout: stdout(), stderr: stderr() };
}

const formats = ({ files }: Findings) => Object.fromEntries(files.map(({ path, format }) => [path, format]));
const reasons = ({ leftOut }: Findings) =>
  Object.fromEntries(leftOut.map(({ path, reason }) => [path, reason]));

describe('a look at a machine', () => {
  test('finds log files with their formats, and counts older generations', async () => {
    const found = await lookAtMachine(
      await machine({
        '/var/log/nginx/access.log': ACCESS,
        '/var/log/nginx/access.log.1': ACCESS,
        '/var/log/nginx/access.log.2.gz': 'x',
        '/var/log/app/app.json': JSON_LINE,
        '/var/log/messages': 'Jan 31 10:00:00 web-1 sshd[1]: hello\n',
        '/var/log/wtmp': 'x',
        '/var/log/empty.log': '',
        '/var/log/other': '',
        '/var/log/data': 'a\0b',
      }),
    );
    expect(formats(found)).toEqual({
      '/var/log/app/app.json': 'json',
      '/var/log/empty.log': 'auto',
      '/var/log/messages': 'auto',
      '/var/log/nginx/access.log': 'combined',
    });
    expect(found.olderFiles).toBe(2);
    expect(reasons(found)).toEqual({ '/var/log/other': 'empty', '/var/log/data': 'not text' });
  });

  test('is not held up by FIFOs, loops of links, deep directories and hostile names', async () => {
    const root = await machine({
      '/var/log/app.log': 'x\n',
      '/var/log/a/b/c/d/deep.log': 'x\n',
      '/var/log/\u001b[2Jevil.log': 'x\n',
      '/var/log/*.log': 'x\n',
    });
    execFileSync('mkfifo', [join(root, 'var/log/fifo.log')]);
    await symlink(join(root, 'var/log'), join(root, 'var/log/loop'));
    await symlink('/etc/passwd', join(root, 'var/log/secret.log'));
    const found = await lookAtMachine(root);
    expect(formats(found)).toEqual({ '/var/log/app.log': 'auto' });
    expect(reasons(found)).toMatchObject({
      '/var/log/fifo.log': 'not a regular file',
      '/var/log/a/b/c/d': 'it is deeper than 4 directories',
      '/var/log/\u001b[2Jevil.log': 'its name has control characters',
      '/var/log/*.log': 'its name has characters with a meaning in a glob',
    });
    expect(reasons(found)['/var/log/loop']).toContain('a symbolic link');
    expect(reasons(found)['/var/log/secret.log']).toContain('a symbolic link');
  });

  test('ends in a huge directory after a limit, and reports it', async () => {
    const names = Array.from({ length: 2100 }, (_, index) => [`/var/log/many/${index}.log`, ''] as const);
    const found = await lookAtMachine(await machine(Object.fromEntries(names)));
    expect(found.endedEarly).toBe('in /var/log/many, after 2000 files');
    expect(found.files.length + found.leftOut.length).toBe(2000);
  });

  test('names the group that can read a file, or its owner', async () => {
    const root = await machine({
      '/etc/group': 'root:x:0:\nlogreaders:x:4711:\n',
      '/etc/passwd': 'root:x:0:0::/:/bin/sh\nowner:x:4712:4711::/:/bin/sh\n',
      '/var/log/ours.log': 'x\n',
      '/var/log/group.log': 'x\n',
      '/var/log/private.log': 'x\n',
    });
    const isRoot = process.getuid?.() === 0;
    for (const [name, mode] of [
      ['group', 0o640],
      ['private', 0o600],
    ] as const) {
      if (isRoot) await chown(join(root, `var/log/${name}.log`), 4712, 4711);
      await chmod(join(root, `var/log/${name}.log`), mode);
    }
    const found = await asUnprivileged(() => lookAtMachine(root));
    expect(formats(found)).toMatchObject({ '/var/log/ours.log': 'auto' });
    if (!isRoot) return;
    expect(reasons(found)).toEqual({
      '/var/log/group.log':
        'permission denied: members of the group logreaders can read it (sudo usermod -aG logreaders USER)',
      '/var/log/private.log': 'permission denied: only the user owner can read it',
    });
  });

  test('finds PostgreSQL, containers and the journal', async () => {
    const root = await machine({
      '/var/lib/postgresql/17/main/log/postgresql-2026-01-31.json': '',
      '/var/lib/pgsql/data/log/postgresql-Sat.log': '2026-01-31 LOG:  hello\n',
      '/etc/postgresql/17/main/postgresql.conf': "shared_preload_libraries = 'auto_explain,pg_logfebe'\n",
      '/var/log/pods/a/b/0.log': '2026-01-31T10:00:00Z stdout F x\n',
      '/var/log/containers/README': '',
      '/var/lib/docker/containers/abc/abc-json.log': '{"log":"x"}\n',
      '/var/log/journal/0123/system.journal': 'LPKSHHRH',
      '/usr/bin/journalctl': '',
    });
    const found = await lookAtMachine(root);
    expect(Object.keys(formats(found)).sort()).toEqual([
      '/var/lib/pgsql/data/log/*.log',
      '/var/lib/postgresql/17/main/log/*.json',
    ]);
    expect(found.containers.map(({ paths, format }) => [paths, format])).toEqual([
      ['/var/log/containers/*.log', 'cri'],
      ['/var/lib/docker/containers/*/*-json.log', 'docker-json'],
    ]);
    expect(found.journal).toEqual({ directory: '/var/log/journal' });
    expect(found.notes.join()).toContain('PostgreSQL loads pg_logfebe');
  });

  test('leaves out a journal that rsyslog writes to files, and one without journalctl', async () => {
    const files = { '/var/log/journal/0123/system.journal': 'x', '/usr/bin/journalctl': '' };
    const copied = await lookAtMachine(
      await machine({ ...files, '/etc/rsyslog.conf': '', '/var/log/syslog': 'Jan 31 10:00:00 a b: c\n' }),
    );
    expect(copied.journal).toBeUndefined();
    expect(reasons(copied)['/var/log/journal']).toContain(
      'rsyslog writes the entries of the journal to /var/log/syslog',
    );
    expect(copied.notes.join()).toContain('rsyslog is installed (/etc/rsyslog.conf)');
    const alone = await lookAtMachine(await machine({ '/var/log/journal/0123/system.journal': 'x' }));
    expect(reasons(alone)['/var/log/journal']).toContain('journalctl, which is not installed');
  });
});

describe('the command', () => {
  const FILES = {
    '/var/log/nginx/access.log': ACCESS,
    '/var/log/nginx/api.log': ACCESS,
    '/var/log/mixed/a.log': 'x\n',
    '/var/log/mixed/b.log': JSON_LINE,
    '/var/log/evil\nCOLLECTOR_ONCE: true\n.log': 'x\n',
  };

  test('writes a configuration with mode 0600 that `config check` accepts', { timeout: 60_000 }, async () => {
    const root = await machine(FILES);
    const output = join(root, 'etc/first.yaml');
    const { exitCode, stdout } = await init(['--root', root, '--output', output]);
    expect(exitCode).toBe(0);
    expect(stdout).toMatch(/^\/var\/log\/nginx\/access\.log +combined +\d+ B$/m);
    expect(stdout).toContain('its name has control characters');
    expect(stdout).toContain(`mega-collector standalone --config ${output}`);
    expect((await stat(output)).mode & 0o777).toBe(0o600);
    const text = await readFile(output, 'utf8');
    expect(text).toContain('- "/var/log/nginx/*.log"\n    format: "combined"');
    expect(text).toContain('- "/var/log/mixed/a.log"\n');
    expect(text).not.toMatch(/^COLLECTOR_ONCE/m);
    const checked = capturedIo({ environment: { HOME: root, XDG_STATE_HOME: join(root, 'state') } });
    expect(await run(['config', 'check', 'standalone', '--config', output], checked.io)).toBe(0);
    expect(checked.stdout()).toContain('The configuration is valid');
  });

  test('replaces a file only with --force', async () => {
    const root = await machine({ ...FILES, '/first.yaml': 'mine: true\n' });
    const output = join(root, 'first.yaml');
    const refused = await init(['--root', root, '--output', output]);
    expect(refused.exitCode).toBe(1);
    expect(refused.stderr).toContain('it exists. Replace it with --force, or choose another path.');
    expect(await readFile(output, 'utf8')).toBe('mine: true\n');
    expect((await init(['--root', root, '--output', output, '--force'])).exitCode).toBe(0);
    expect(await readFile(output, 'utf8')).toContain('COLLECTOR_TAIL_CONFIGURATION:');
    expect((await stat(output)).mode & 0o777).toBe(0o600);
  });

  test('--dry-run prints the configuration and writes nothing', async () => {
    const root = await machine(FILES);
    const output = join(root, 'none.yaml');
    const { exitCode, stdout } = await init(['--root', root, '--output', output, '--dry-run']);
    expect(exitCode).toBe(0);
    expect(stdout).toContain('COLLECTOR_TAIL_CONFIGURATION:');
    await expect(stat(output)).rejects.toThrow('ENOENT');
  });

  test('--json has the findings and the configuration', async () => {
    const { stdout } = await init(['--root', await machine(FILES), '--dry-run', '--json']);
    expect(JSON.parse(stdout)).toMatchObject({
      files: expect.arrayContaining([
        expect.objectContaining({ path: '/var/log/mixed/b.log', format: 'json' }),
      ]),
      configuration: expect.stringContaining('AGGREGATOR_DUCKDB_CONFIGURATION'),
      written: null,
    });
  });

  test('fails if nothing can be read, and says what to do', async () => {
    const { exitCode, stderr } = await init(['--root', await machine({ '/etc/passwd': '' })]);
    expect(exitCode).toBe(1);
    expect(stderr).toContain('Found no log that this user can read, and wrote nothing.');
  });
});
