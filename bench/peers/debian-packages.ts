import { mkdir, readdir, readFile, rename, writeFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { runCommand } from '../../testkit/running-process.ts';

export interface UnpackedPackages {
  /** The packages' own `/`. */
  readonly root: string;
  /** For LD_LIBRARY_PATH. */
  readonly libraryPath: string;
  readonly version: string;
}

const CACHE = resolve('.tmp/peers');
const ARCHITECTURES: Record<string, string> = { x64: 'x86_64-linux-gnu', arm64: 'aarch64-linux-gnu' };

/**
 * Downloads Debian packages with their missing dependencies, and unpacks them outside of the system. Nothing
 * is installed: the packages of rsyslog and syslog-ng conflict, and a benchmark should not change a machine.
 * Throws if that is not possible here.
 */
export async function unpackDebianPackages(names: readonly [string, ...string[]]): Promise<UnpackedPackages> {
  const triplet = ARCHITECTURES[process.arch];
  if (triplet === undefined) throw new Error(`no Debian library path is known for ${process.arch}`);
  const directory = join(CACHE, names[0]);
  const root = join(directory, 'root');
  const done = join(directory, 'unpacked');
  // A cache of an earlier version may have fewer packages.
  const list = names.join(' ');
  if ((await readFile(done, 'utf8').catch(() => undefined)) !== list) {
    await download(names, directory);
    await writeList(done, list);
  }
  const libraryPath = [`usr/lib/${triplet}`, `lib/${triplet}`].map((path) => join(root, path)).join(':');
  return { root, libraryPath, version: await versionOf(names[0], directory) };
}

/** Renamed into its place: a copy of the cache may share its files (hard links). */
async function writeList(path: string, list: string): Promise<void> {
  await writeFile(`${path}.new`, list);
  await rename(`${path}.new`, path);
}

async function download(names: readonly string[], directory: string): Promise<void> {
  const debs = join(directory, 'debs');
  const root = join(directory, 'root');
  await mkdir(debs, { recursive: true });
  await mkdir(root, { recursive: true });
  const missing = await missingPackages(names).catch(async () => {
    await apt(['apt-get', 'update']);
    return await missingPackages(names);
  });
  await apt(['apt-get', 'download', ...new Set([...names, ...missing])], debs);
  for (const file of await readdir(debs)) await apt(['dpkg', '-x', join(debs, file), root]);
}

/** Packages that an installation would add to this machine. */
async function missingPackages(names: readonly string[]): Promise<string[]> {
  const plan = await apt(['apt-get', '--simulate', '--no-install-recommends', 'install', ...names]);
  return plan.split('\n').flatMap((line) => /^Inst (\S+)/.exec(line)?.[1] ?? []);
}

async function versionOf(name: string, directory: string): Promise<string> {
  const file = (await readdir(join(directory, 'debs'))).find((deb) => deb.startsWith(`${name}_`)) ?? '';
  return decodeURIComponent(file.split('_')[1] ?? 'unknown');
}

async function apt([command, ...args]: readonly string[], cwd?: string): Promise<string> {
  if (command === undefined) return '';
  return await runCommand({
    name: [command, ...args].slice(0, 4).join(' '),
    command,
    args,
    env: { LC_ALL: 'C', DEBIAN_FRONTEND: 'noninteractive' },
    ...(cwd !== undefined && { cwd }),
  });
}
