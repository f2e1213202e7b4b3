// Checks what the packages contain with the programs that read it, as far as they are installed: `make lint`.
import { execFileSync, spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

const HERE = import.meta.dirname;
const UNITS = join(HERE, '../systemd');
/** Of `systemd-analyze security`, in tenths; 100 has no protection at all. */
const EXPOSURE_LIMIT = '20';

mkdirSync('.tmp', { recursive: true });
const directory = mkdtempSync(join(process.cwd(), '.tmp/packaging-'));
try {
  check('promtool', ['check', 'rules', join(HERE, 'prometheus/alerts.yaml')]);
  const units = unitsThatCanBeVerified();
  check('systemd-analyze', ['verify', '--man=no', ...units]);
  const services = units.filter((path) => path.endsWith('.service'));
  check('systemd-analyze', ['security', '--offline=true', `--threshold=${EXPOSURE_LIMIT}`, ...services]);
  const kubernetes = join(HERE, 'kubernetes');
  check('kubeconform', ['-strict', '-ignore-missing-schemas', kubernetes]);
  if (isInstalled('lintian') && isInstalled('dpkg-deb')) checkPackage();
  else console.log('SKIPPED lintian: it is not installed');
} finally {
  rmSync(directory, { recursive: true, force: true });
}

/** The program of the units is not installed here. */
function unitsThatCanBeVerified() {
  const names = readdirSync(UNITS).filter((name) => /\.(?:service|socket)$/.test(name));
  return names.map((name) => {
    const path = join(directory, name);
    const unit = readFileSync(join(UNITS, name), 'utf8');
    writeFileSync(path, unit.replace(/^ExecStart=\S+/m, `ExecStart=${process.execPath}`));
    return path;
  });
}

/** With Node.js: what lintian reports on it has to be overridden, too. */
function checkPackage() {
  const env = { ...process.env, OUTPUT: directory, COMPRESSION: 'gzip' };
  const built = execFileSync(process.execPath, [join(HERE, 'deb/build.mjs')], { env, encoding: 'utf8' });
  const root = process.getuid() === 0 ? ['--allow-root'] : [];
  check('lintian', [...root, '--fail-on', 'error,warning', built.trim()]);
}

function check(program, args) {
  if (!isInstalled(program)) {
    console.log(`SKIPPED ${program} ${args[0]}: ${program} is not installed`);
    return;
  }
  const { status, stdout, stderr } = spawnSync(program, args, { encoding: 'utf8' });
  if (status === 0) return;
  console.error(`${program} ${args.join(' ')}\n${stdout}${stderr}`);
  process.exitCode = 1;
}

function isInstalled(program) {
  return spawnSync('sh', ['-c', `command -v ${program}`]).status === 0;
}
