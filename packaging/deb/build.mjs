import { execFileSync, spawnSync } from 'node:child_process';
import {
  chmodSync,
  copyFileSync,
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { commandTree } from './command-tree.mjs';
import { bashCompletion, zshCompletion } from './completions.mjs';
import { manPages } from './man-pages.mjs';

/**
 * Builds mega-collector_VERSION_ARCHITECTURE.deb from a built checkout, with dpkg-deb only. Variables:
 *   DIST          the compiled program (dist)
 *   OUTPUT        the directory of the package (.)
 *   NODE_BINARY   the Node.js to include; by default the one that runs this script. Empty: none; the package
 *                 then depends on a nodejs of the distribution
 *   COMPRESSION   xz, zstd, gzip or none (xz)
 */
const { DIST = 'dist', OUTPUT = '.', NODE_BINARY = process.execPath, COMPRESSION = 'xz' } = process.env;
const HERE = import.meta.dirname;
const ROOT = join(HERE, '../..');
const LIB = 'usr/lib/mega-collector';
const ARCHITECTURES = { x64: 'amd64', arm64: 'arm64' };
const MANIFEST = JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8'));
/** The project has no mailbox; the package is built by its user. */
const MAINTAINER = `${MANIFEST.author} <mega-collector@localhost.localdomain>`;
/** Packages that the bundle loads at run time: those of rolldown.config.ts, and the printer of log lines. */
const UNBUNDLED = [
  ...readFileSync(join(ROOT, 'rolldown.config.ts'), 'utf8')
    .match(/^const EXTERNAL = \[(.*?)\];$/ms)[1]
    .match(/[^'\s,]+(?=')/g),
  'pino-pretty',
];
/** Types only. */
const NOT_NEEDED = ['@types/node', 'undici-types'];

const stage = mkdtempSync(join(tmpdir(), 'mega-collector-deb-'));
try {
  stageProgram();
  stageUnits();
  stageDocuments(await commandTree(DIST));
  stageControl();
  const architecture = ARCHITECTURES[process.arch];
  const target = join(OUTPUT, `mega-collector_${MANIFEST.version}_${architecture}.deb`);
  mkdirSync(OUTPUT, { recursive: true });
  execFileSync('dpkg-deb', ['--root-owner-group', `-Z${COMPRESSION}`, '--build', stage, target], {
    stdio: ['ignore', 'ignore', 'inherit'],
  });
  console.log(target);
} finally {
  rmSync(stage, { recursive: true, force: true });
}

function write(path, text, mode = 0o644) {
  mkdirSync(dirname(join(stage, path)), { recursive: true });
  writeFileSync(join(stage, path), text);
  chmodSync(join(stage, path), mode);
}

function stageProgram() {
  for (const part of ['bin', 'chunks', 'page', 'collector', 'emitters', 'formats', 'records', 'runtime']) {
    const from = join(DIST, part);
    if (existsSync(from))
      cpSync(from, join(stage, LIB, 'dist', part), { recursive: true, filter: isRuntime });
  }
  cpSync(join(ROOT, 'proto'), join(stage, LIB, 'proto'), { recursive: true });
  copyFileSync(join(ROOT, 'package.json'), join(stage, LIB, 'package.json'));
  for (const name of packagesOf(UNBUNDLED)) {
    const to = join(stage, LIB, 'node_modules', name);
    cpSync(join(ROOT, 'node_modules', name), to, { recursive: true, filter: isRuntime });
  }
  let node = 'node';
  if (NODE_BINARY !== '') {
    node = `/${LIB}/node`;
    copyFileSync(NODE_BINARY, join(stage, LIB, 'node'));
  }
  write('usr/bin/mega-collector', `#!/bin/sh\nexec ${node} /${LIB}/dist/bin/mega-collector.js "$@"\n`);
  stripNativeFiles(join(stage, LIB));
  normalizeFiles(join(stage, 'usr'));
  for (const path of ['usr/bin/mega-collector', ...(NODE_BINARY === '' ? [] : [`${LIB}/node`])]) {
    chmodSync(join(stage, path), 0o755);
  }
}

function isRuntime(path) {
  return !/\.(?:map|d\.[cm]?ts|musl\.node)$|\/\.[^/]+$|\/(?:test|docs?|examples?)$/.test(path);
}

/** With all of their dependencies that are installed. */
function packagesOf(names) {
  const found = new Set();
  const open = [...names];
  for (let name = open.pop(); name !== undefined; name = open.pop()) {
    const path = join(ROOT, 'node_modules', name, 'package.json');
    if (found.has(name) || NOT_NEEDED.includes(name) || !existsSync(path)) continue;
    found.add(name);
    const { dependencies = {}, optionalDependencies = {} } = JSON.parse(readFileSync(path, 'utf8'));
    open.push(...Object.keys(dependencies), ...Object.keys(optionalDependencies));
  }
  return found;
}

/** Modes as if the umask was 022, and no scripts to start. */
function normalizeFiles(directory) {
  chmodSync(directory, 0o755);
  for (const entry of readdirSync(directory, { withFileTypes: true })) {
    const path = join(directory, entry.name);
    if (entry.isDirectory()) normalizeFiles(path);
    else if (entry.isFile()) {
      if (/\.[cm]?js$/.test(path)) withoutInterpreter(path);
      chmodSync(path, 0o644);
    }
  }
}

/** Only the wrapper in /usr/bin is started: it names the Node.js. */
function withoutInterpreter(path) {
  const text = readFileSync(path);
  if (text.toString('latin1', 0, 2) === '#!') writeFileSync(path, text.subarray(text.indexOf('\n') + 1));
}

/** Symbols for debuggers are a fifth of the package. Without strip they stay. */
function stripNativeFiles(directory) {
  const files = readdirSync(directory, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile() && /\.node$|\.so(?:\.\d+)*$|^node$/.test(entry.name))
    .map((entry) => join(entry.parentPath ?? entry.path, entry.name));
  const { error } = spawnSync('strip', ['--strip-unneeded', ...files], {
    stdio: ['ignore', 'ignore', 'inherit'],
  });
  if (error !== undefined)
    console.error('strip is not installed (binutils): native files keep their symbols');
}

function stageUnits() {
  const from = join(ROOT, 'systemd');
  for (const name of readdirSync(from).filter((each) => /\.(?:service|socket)$/.test(each))) {
    const unit = readFileSync(join(from, name), 'utf8');
    write(
      `usr/lib/systemd/system/${name}`,
      unit.replace(/^(ExecStart=.* (aggregator|collector))$/m, '$1 --config /etc/mega-collector/$2.yaml'),
    );
  }
  write('usr/lib/sysusers.d/mega-collector.conf', readFileSync(join(from, 'mega-collector.sysusers.conf')));
  for (const name of readdirSync(join(HERE, 'etc'))) {
    write(`etc/mega-collector/${name}`, readFileSync(join(HERE, 'etc', name)), 0o640);
  }
}

function stageDocuments(tree) {
  const compressed = (text) => gzipSync(text, { level: 9 });
  for (const [name, text] of manPages(tree, MANIFEST))
    write(`usr/share/man/man1/${name}.gz`, compressed(text));
  write('usr/share/bash-completion/completions/mega-collector', bashCompletion(tree));
  write('usr/share/zsh/vendor-completions/_mega-collector', zshCompletion(tree));
  const documents = 'usr/share/doc/mega-collector';
  write(`${documents}/changelog.gz`, compressed(debianChangelog()));
  write(`${documents}/CHANGELOG.md.gz`, compressed(readFileSync(join(ROOT, 'CHANGELOG.md'))));
  write(`${documents}/copyright`, readFileSync(join(HERE, 'control/copyright')));
  write('usr/share/lintian/overrides/mega-collector', readFileSync(join(HERE, 'control/lintian-overrides')));
}

/** Debian reads versions from it; what changed is in CHANGELOG.md. SOURCE_DATE_EPOCH, in seconds, is its time. */
function debianChangelog() {
  const seconds = Number(process.env.SOURCE_DATE_EPOCH ?? Math.floor(Date.now() / 1000));
  const time = new Date(seconds * 1000).toUTCString().replace('GMT', '+0000');
  return `mega-collector (${MANIFEST.version}) stable; urgency=medium

  * The changes are in CHANGELOG.md.

 -- ${MAINTAINER}  ${time}
`;
}

function stageControl() {
  for (const name of ['postinst', 'prerm', 'postrm']) {
    write(`DEBIAN/${name}`, readFileSync(join(HERE, 'control', name)), 0o755);
  }
  const files = readdirSync(join(HERE, 'etc')).map((name) => `/etc/mega-collector/${name}\n`);
  write('DEBIAN/conffiles', files.join(''));
  const node = NODE_BINARY === '' ? `nodejs (>= ${MANIFEST.engines.node.replace('>=', '')}), ` : '';
  const size = Math.ceil(Number(execFileSync('du', ['-sk', stage], { encoding: 'utf8' }).split('\t')[0]));
  write(
    'DEBIAN/control',
    `Package: mega-collector
Version: ${MANIFEST.version}
Architecture: ${ARCHITECTURES[process.arch]}
Maintainer: ${MAINTAINER}
Installed-Size: ${size}
Depends: ${node}libc6 (>= 2.28), libgcc-s1, libstdc++6, passwd, init-system-helpers (>= 1.52)
Section: admin
Priority: optional
Description: log collector and aggregator
 Ships logs from files and sockets to their stores: each record exactly once,
 acknowledged only after it is on disk. The package has a collector and an
 aggregator as services of systemd. It starts none of them.
`,
  );
}
