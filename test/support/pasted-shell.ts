import { type ChildProcessByStdio, spawn, spawnSync } from 'node:child_process';
import { chmod, copyFile, mkdir, mkdtemp, rm, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Readable } from 'node:stream';

/**
 * A machine for the shell blocks of the documentation: the built product below the current directory, an own home, own
 * networks (so that the default ports are free), own processes, and own /var/log, /var/lib, /etc and /tmp/mega. The end of
 * its first process ends all others, also those in the background.
 */
export class PastedShell {
  readonly directory: string;

  private constructor(directory: string) {
    this.directory = directory;
  }

  /** Without root and Linux namespaces, the blocks cannot have the default ports. */
  static isPossible(): boolean {
    return spawnSync('unshare', [...NAMESPACES, 'true']).status === 0;
  }

  static async build(): Promise<PastedShell> {
    // Within the checkout, so that the packages are found.
    await mkdir('.tmp', { recursive: true });
    const shell = new PastedShell(await mkdtemp(join(process.cwd(), '.tmp/pasted-shell-')));
    const at = (path: string) => join(shell.directory, path);
    await copyFile('package.json', at('package.json'));
    await symlink(join(process.cwd(), 'proto'), at('proto'));
    spawnSync('node_modules/.bin/tsc', ['-p', 'tsconfig.build.json', '--outDir', at('dist')]);
    await mkdir(at('shims'));
    await shell.#shim('npm', 'case "$*" in ci|"run build") ;; *) exit 64 ;; esac');
    await shell.#shim(
      'mega-collector',
      `exec '${process.execPath}' '${at('dist/bin/mega-collector.js')}' "$@"`,
    );
    await writeFile(at('machine.sh'), MACHINE);
    return shell;
  }

  /** Runs the block as it is; it ends at the first command that fails, unless something follows in the background. */
  paste(block: string): PastedBlock {
    const { directory } = this;
    return new PastedBlock(
      spawn('unshare', [...NAMESPACES, 'bash', join(directory, 'machine.sh'), `set -e\n${block}`], {
        cwd: directory,
        env: { PATH: `${join(directory, 'shims')}:${process.env.PATH}` },
        stdio: ['ignore', 'pipe', 'pipe'],
      }),
    );
  }

  async remove(): Promise<void> {
    await rm(this.directory, { recursive: true, force: true });
  }

  async #shim(name: string, script: string): Promise<void> {
    const path = join(this.directory, 'shims', name);
    await writeFile(path, `#!/bin/sh\n${script}\n`);
    await chmod(path, 0o755);
  }
}

export class PastedBlock {
  readonly #child: ChildProcessByStdio<null, Readable, Readable>;
  readonly exitCode: Promise<number | null>;
  #output = '';

  constructor(child: ChildProcessByStdio<null, Readable, Readable>) {
    this.#child = child;
    for (const stream of [child.stdout, child.stderr]) {
      stream.on('data', (chunk) => (this.#output += String(chunk)));
    }
    this.exitCode = new Promise((resolve) => child.once('exit', resolve));
  }

  /** Of all commands, both streams. */
  output(): string {
    return this.#output;
  }

  /** Ends every process of the block. */
  async end(): Promise<void> {
    this.#child.kill('SIGKILL');
    await this.exitCode;
  }
}

const NAMESPACES = ['--net', '--mount', '--pid', '--fork', '--kill-child', '--mount-proc'];

/**
 * The content of a host: files in /var/log, including an access log of this minute, and names for the
 * examples.
 */
const MACHINE = `
set -e
block=$1
ip link set lo up
mkdir -p /tmp/mega
mount -t tmpfs tmpfs /mnt
cp -a /etc /mnt/etc
mkdir -p /mnt/etc/mega-collector /mnt/home
printf '127.0.0.1 db.example logs.example.com logplex.example.com\\n' >> /mnt/etc/hosts
printf 'secret\\n' > /mnt/etc/mega-collector/password
printf '{"url": "https://token:t.0@logplex.example.com/logs"}\\n' > /mnt/etc/mega-collector/logplex.json
mount --bind /mnt/etc /etc
for each in /tmp/mega /var/log /var/lib; do mount -t tmpfs tmpfs $each; done
mkdir -p /var/log/nginx /var/lib/mega-collector/serves
now=$(LC_ALL=C date '+%d/%b/%Y:%H:%M:%S %z')
for status in 200 500 404; do
  printf '192.0.2.1 - - [%s] "GET /pasted/%s HTTP/1.1" %s 42\\n' "$now" $status $status
done | tee /var/log/nginx/access.log > access.log
printf 'a line of a log\\n' > /var/log/app.log
export HOME=/mnt/home
exec bash -c "$block"
`;
