// npm leaves optional packages of platforms that its registry does not offer out of package-lock.json, and `npm ci` then
// calls the lock out of date. This puts them in, by what the packages that want them say: `node .ci/complete-lock.mjs`
// after every `npm install`. They are never installed where os, cpu or libc differ.
import { readFileSync, writeFileSync } from 'node:fs';

const PATH = 'package-lock.json';
const SYSTEMS = ['darwin', 'win32', 'android', 'freebsd', 'openharmony', 'linux'];
const PROCESSORS = {
  arm64: 'arm64',
  x64: 'x64',
  ia32: 'ia32',
  ppc64: 'ppc64',
  riscv64: 'riscv64',
  s390x: 's390x',
};

const lock = JSON.parse(readFileSync(PATH, 'utf8'));
for (const entry of Object.values(lock.packages)) {
  for (const [name, version] of Object.entries(entry.optionalDependencies ?? {})) {
    const key = `node_modules/${name}`;
    if (lock.packages[key] !== undefined || !/^[0-9]/.test(version)) continue;
    const words = name.split('/').at(-1).split('-');
    const os = SYSTEMS.filter((system) => words.includes(system));
    const cpu = words.flatMap((word) => PROCESSORS[word] ?? (word.startsWith('arm') ? ['arm'] : []));
    const libc = words.some((word) => word.startsWith('musl'))
      ? ['musl']
      : words.some((word) => word.startsWith('gnu'))
        ? ['glibc']
        : [];
    lock.packages[key] = {
      version,
      ...(cpu.length > 0 && { cpu }),
      ...(entry.dev && { dev: true }),
      ...(libc.length > 0 && { libc }),
      optional: true,
      ...(os.length > 0 && { os }),
    };
  }
}
lock.packages = Object.fromEntries(Object.entries(lock.packages).sort(([a], [b]) => (a < b ? -1 : 1)));
writeFileSync(PATH, `${JSON.stringify(lock, undefined, 2)}\n`);
