import { execFileSync } from 'node:child_process';

/** Installs a Debian package without output. Throws if that is not permitted or not possible. */
export function installPackage(name: string): void {
  if (process.getuid?.() !== 0) throw new Error('only root may install it');
  process.stderr.write(`Installing ${name} ...\n`);
  const options = { stdio: 'pipe', env: { ...process.env, DEBIAN_FRONTEND: 'noninteractive' } } as const;
  const command = ['install', '-y', '--no-install-recommends', name];
  try {
    execFileSync('apt-get', command, options);
  } catch {
    execFileSync('apt-get', ['update'], options);
    execFileSync('apt-get', command, options);
  }
}
