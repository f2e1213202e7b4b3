import { execFileSync } from 'node:child_process';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { AGGREGATOR_VARIABLES } from '../../src/aggregator/variables.ts';
import { collectorVariables } from '../../src/collector/config.ts';
import { parseListenAddress } from '../../src/collector/sources/syslog/listen-address.ts';
import { variableNames } from '../../src/runtime/configuration/configuration.ts';

const manifest = JSON.parse(readFileSync('package.json', 'utf8'));
const changelog = readFileSync('CHANGELOG.md', 'utf8');
const files = readdirSync('systemd');
const units = files.filter((name) => name.endsWith('.service'));
const sockets = files.filter((name) => name.endsWith('.socket'));
const ANALYZE = ['/usr/bin/systemd-analyze', '/bin/systemd-analyze'].find((path) => existsSync(path));

test('the changelog has a section for the version of the package, below what is unreleased', () => {
  const sections = [...changelog.matchAll(/^## \[(.+?)\](.*)$/gm)].map(([, name, date]) => ({ name, date }));
  expect(sections[0]).toEqual({ name: 'Unreleased', date: '' });
  expect(sections[1]).toEqual({
    name: manifest.version,
    date: expect.stringMatching(/^ - \d{4}-\d\d-\d\d$/),
  });
});

test('package.json says what a registry shows', () => {
  expect(manifest).toMatchObject({
    author: expect.stringMatching(/./),
    keywords: expect.arrayContaining(['logs']),
    license: 'Apache-2.0',
  });
  const named: string[] = manifest.files.filter((name: string) => !/^!|^dist\//.test(name));
  expect(named.filter((name) => !existsSync(name))).toEqual([]);
});

test('the package has its documents and units, and no source maps', () => {
  const listed = execFileSync('npm', ['pack', '--dry-run', '--json', '--ignore-scripts'], {
    encoding: 'utf8',
    stdio: ['ignore', 'pipe', 'ignore'],
  });
  const paths: string[] = JSON.parse(listed)[0].files.map(({ path }: { path: string }) => path);
  expect(paths).toEqual(
    expect.arrayContaining(['SECURITY.md', ...[...units, ...sockets].map((name) => `systemd/${name}`)]),
  );
  expect(paths.filter((path) => path.endsWith('.map'))).toEqual([]);
  expect(JSON.parse(readFileSync('tsconfig.build.json', 'utf8')).compilerOptions.sourceMap).toBe(false);
});

test.each(units)('%s can be enabled, and sets only variables that there are', (name) => {
  const unit = readFileSync(`systemd/${name}`, 'utf8');
  expect(unit).toMatch(/^\[Install\]\nWantedBy=multi-user\.target$/m);
  const known = [...variableNames(AGGREGATOR_VARIABLES), ...variableNames(collectorVariables())];
  const set = [...unit.matchAll(/^Environment=(\w+)=/gm)].map(([, variable]) => variable);
  expect(set.length).toBeGreaterThan(0);
  expect(set.filter((variable) => !known.includes(variable ?? ''))).toEqual([]);
});

test.each(sockets)('%s names its socket like the address in its comment', (name) => {
  const unit = readFileSync(`systemd/${name}`, 'utf8');
  const socketName = /^FileDescriptorName=(.+)$/m.exec(unit)?.[1] ?? '';
  const address = /COLLECTOR_SYSLOG='([^']+)'/.exec(unit)?.[1] ?? '';
  expect(parseListenAddress(address)).toEqual({ transport: address.split(':')[0], socketName });
});

test.skipIf(ANALYZE === undefined)('systemd accepts the units', () => {
  for (const name of [...units, ...sockets]) {
    const { problems } = verified(`systemd/${name}`);
    expect(problems).toEqual([]);
  }
});

/** What systemd says, besides that the command is not installed here. */
function verified(path: string): { readonly problems: readonly string[] } {
  let output = '';
  try {
    output = execFileSync(ANALYZE ?? '', ['verify', '--man=no', path], { encoding: 'utf8', stdio: 'pipe' });
  } catch (error) {
    output = String((error as { stderr?: unknown }).stderr);
  }
  const lines = output.split('\n').filter((line) => line.includes('mega-collector'));
  return { problems: lines.filter((line) => !line.includes('is not executable')) };
}
