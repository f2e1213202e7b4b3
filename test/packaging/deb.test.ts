import { execFileSync, spawnSync } from 'node:child_process';
import { mkdir, mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { COMMANDS } from '../../src/cli/command-list.ts';
import { configurationFileNames } from '../support/configuration-file-names.ts';

const has = (program: string) => spawnSync('sh', ['-c', `command -v ${program}`]).status === 0;
const MISSING = has('dpkg-deb') ? '' : ' (SKIPPED: needs dpkg-deb)';
/** A build on a busy machine. */
const BUILD_MS = 240_000;

describe.skipIf(MISSING !== '')(`the package for Debian${MISSING}`, { timeout: 60_000 }, () => {
  let directory = '';
  let content = '';
  const root = () => join(directory, 'root');
  const read = (path: string) => readFile(join(root(), path), 'utf8');

  beforeAll(async () => {
    // Within the checkout, so that the packages are found.
    await mkdir('.tmp', { recursive: true });
    directory = await mkdtemp(join(process.cwd(), '.tmp/deb-'));
    const dist = join(directory, 'dist');
    execFileSync('node_modules/.bin/tsc', ['-p', 'tsconfig.build.json', '--outDir', dist]);
    // Without a Node.js and a compression, so that it takes seconds.
    const env = { ...process.env, DIST: dist, OUTPUT: directory, NODE_BINARY: '', COMPRESSION: 'none' };
    execFileSync(process.execPath, ['packaging/deb/build.mjs'], { env });
    const [file = ''] = (await readdir(directory)).filter((name) => name.endsWith('.deb'));
    expect(file).toMatch(/^mega-collector_\d+\.\d+\.\d+_(?:amd64|arm64)\.deb$/);
    content = execFileSync('dpkg-deb', ['-c', join(directory, file)], {
      encoding: 'utf8',
      maxBuffer: 2 ** 26,
    });
    execFileSync('dpkg-deb', ['-R', join(directory, file), root()]);
  }, BUILD_MS);

  afterAll(() => rm(directory, { recursive: true, force: true }));

  test('contains the program, the packages that it loads, the page, units and documents', () => {
    for (const path of [
      'usr/bin/mega-collector',
      'usr/lib/mega-collector/dist/bin/mega-collector.js',
      'usr/lib/mega-collector/package.json',
      'usr/lib/mega-collector/node_modules/lmdb/package.json',
      'usr/lib/mega-collector/node_modules/@duckdb/node-api/package.json',
      'usr/lib/systemd/system/mega-collector-aggregator.service',
      'usr/lib/systemd/system/mega-collector-syslog-udp.socket',
      'usr/lib/sysusers.d/mega-collector.conf',
      'usr/share/bash-completion/completions/mega-collector',
      'usr/share/doc/mega-collector/copyright',
    ]) {
      expect(content).toContain(` ./${path}\n`);
    }
    for (const name of Object.keys(COMMANDS))
      expect(content).toContain(`/man1/mega-collector-${name}.1.gz\n`);
    expect(content).not.toMatch(/\.map$|\.d\.ts$/m);
    const owners = content
      .trim()
      .split('\n')
      .map((line) => line.split(/\s+/)[1]);
    expect(new Set(owners)).toEqual(new Set(['root/root']));
  });

  test('has a control file with the dependency on Node.js, and both configurations as conffiles', async () => {
    expect(await read('DEBIAN/control')).toMatch(/^Depends: nodejs \(>= 20\.19\), /m);
    expect(await read('DEBIAN/conffiles')).toBe(
      '/etc/mega-collector/aggregator.yaml\n/etc/mega-collector/collector.yaml\n',
    );
    for (const script of ['postinst', 'prerm', 'postrm']) {
      expect(spawnSync('sh', ['-n', join(root(), 'DEBIAN', script)]).status).toBe(0);
    }
    expect(await read('DEBIAN/postinst')).not.toMatch(/systemctl (?:enable|start)/);
  });

  test.each(['aggregator', 'collector'])('%s.yaml is valid, and its service reads it', async (half) => {
    expect(configurationFileNames(await read(`etc/mega-collector/${half}.yaml`))).not.toEqual([]);
    expect(await read(`usr/lib/systemd/system/mega-collector-${half}.service`)).toContain(
      `ExecStart=/usr/bin/mega-collector ${half} --config /etc/mega-collector/${half}.yaml\n`,
    );
  });

  test('completes commands, subcommands, options and values in bash', async () => {
    const script = join(root(), 'usr/share/bash-completion/completions/mega-collector');
    const complete = (...words: readonly string[]) =>
      execFileSync(
        'bash',
        [
          '-c',
          // biome-ignore lint/suspicious/noTemplateCurlyInString: it is a script of bash.
          'source "$0"; COMP_WORDS=("$@"); COMP_CWORD=$(($#-1)); _mega_collector; echo "${COMPREPLY[@]}"',
          script,
        ].concat(words),
        { encoding: 'utf8' },
      ).trim();
    expect(complete('mega-collector', 'coll')).toBe('collector');
    expect(complete('mega-collector', 'certificates', 'cr')).toBe('create');
    expect(complete('mega-collector', 'certificates', 'create', '--dir')).toBe('--directory');
    expect(complete('mega-collector', 'send', '--format', 'rfc')).toBe('rfc5424 rfc3164');
  });
});
