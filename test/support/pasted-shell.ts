import { type ChildProcessByStdio, spawn, spawnSync } from 'node:child_process';
import { chmod, copyFile, mkdir, mkdtemp, rm, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Readable, Writable } from 'node:stream';
import { setTimeout as sleep } from 'node:timers/promises';
import { stripVTControlCharacters } from 'node:util';

/**
 * A fresh machine for the shell blocks of a page: the built program in the current directory, a separate home,
 * separate networks (so that the default ports are free), separate processes, and separate /var/log, /var/lib,
 * /etc and /tmp/mega.
 */
export class PastedShell {
  readonly directory: string;

  private constructor(directory: string) {
    this.directory = directory;
  }

  /** Without root, Linux namespaces and `script`, the blocks cannot have the default ports and a terminal. */
  static isPossible(): boolean {
    return (
      spawnSync('unshare', [...NAMESPACES, 'true']).status === 0 &&
      spawnSync('script', ['--version']).status === 0
    );
  }

  static async build(): Promise<PastedShell> {
    // In the checkout, so that the packages are found.
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

  /** A new machine with an interactive shell on a terminal. `serves` is the file serves.new of its serve database. */
  async open({ serves = '' }: { readonly serves?: string } = {}): Promise<PastedTerminal> {
    const { directory } = this;
    const terminal = new PastedTerminal(
      spawn('unshare', [...NAMESPACES, 'bash', join(directory, 'machine.sh')], {
        cwd: directory,
        env: { PATH: `${join(directory, 'shims')}:${process.env.PATH}`, NO_COLOR: '1', SERVES: serves },
        stdio: ['pipe', 'pipe', 'pipe'],
      }),
    );
    await terminal.untilIdle();
    return terminal;
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

/** A terminal with an interactive bash. Commands keep running between blocks, and variables keep their values. */
export class PastedTerminal {
  readonly #child: ChildProcessByStdio<Writable, Readable, Readable>;
  readonly #exited: Promise<unknown>;
  #output = '';
  #ends = 0;

  constructor(child: ChildProcessByStdio<Writable, Readable, Readable>) {
    this.#child = child;
    for (const stream of [child.stdout, child.stderr]) {
      stream.on('data', (chunk) => (this.#output += String(chunk)));
    }
    this.#exited = new Promise((resolve) => child.once('exit', resolve));
    child.stdin.on('error', () => {});
    // Quoted in two parts: until the echo is off, the line itself is in the output.
    this.#type(`stty -echo cols 200; PS1= PS2=; trap 'echo "PASTED"-FAILED: $? "$BASH_COMMAND"' ERR`);
  }

  /** The output of all commands so far, without control sequences. */
  output(): string {
    return stripVTControlCharacters(this.#output).replaceAll('\r', '');
  }

  /** Pastes the text as it is. */
  paste(text: string): void {
    this.#type(text);
  }

  /** Presses Ctrl-C. */
  interrupt(): void {
    this.#child.stdin.write('\x03');
  }

  /** Resolves when the shell runs no command in the foreground. */
  async untilIdle(): Promise<void> {
    const end = `END-${++this.#ends}.`;
    while (!this.output().includes(`PASTED-${end}`)) {
      if (this.#child.exitCode !== null) throw new Error(`The terminal has ended:\n${this.output()}`);
      // Again and again, because Ctrl-C discards what was typed before.
      this.#type(`\nprintf '%s%s\\n' PASTED- '${end}'`);
      await sleep(500);
    }
  }

  /** The commands that have failed, with their exit codes, except those that Ctrl-C has ended. */
  failed(): string[] {
    const lines = this.output().split('\n');
    return lines.filter((line) => line.startsWith('PASTED-FAILED: ') && !line.includes('FAILED: 130 '));
  }

  async close(): Promise<void> {
    this.#child.kill('SIGKILL');
    await this.#exited;
  }

  #type(text: string): void {
    this.#child.stdin.write(text.endsWith('\n') ? text : `${text}\n`);
  }
}

const NAMESPACES = ['--net', '--mount', '--pid', '--fork', '--kill-child', '--mount-proc'];

/** A host with files in /var/log, among them an access log of this minute, and names for the examples. */
const MACHINE = `
set -e
ip link set lo up
mkdir -p /tmp/mega
mount -t tmpfs tmpfs /mnt
cp -a /etc /mnt/etc
mkdir -p /mnt/etc/mega-collector /mnt/home
printf '127.0.0.1 db.example logs.example.com logplex.example.com graylog.example\\n' >> /mnt/etc/hosts
printf 'secret\\n' > /mnt/etc/mega-collector/password
printf '{"url": "https://token:t.0@logplex.example.com/logs"}\\n' > /mnt/etc/mega-collector/logplex.json
mount --bind /mnt/etc /etc
for each in /tmp/mega /var/log /var/lib /run; do mount -t tmpfs tmpfs $each; done
mkdir -p /var/log/nginx /var/lib/mega-collector/serves /run/mega-collector
if [ -n "$SERVES" ]; then printf '%s\\n' "$SERVES" > /var/lib/mega-collector/serves/serves.new; fi
now=$(LC_ALL=C date '+%d/%b/%Y:%H:%M:%S %z')
for status in 200 500 404; do
  printf '192.0.2.1 - - [%s] "GET /pasted/%s HTTP/1.1" %s 42\\n' "$now" $status $status
done | tee /var/log/nginx/access.log > access.log
printf 'a line of a log\\n' > /var/log/app.log
export HOME=/mnt/home TERM=dumb
unset SERVES
# Not by exec: the first process is the parent of all orphans, and script does not expect any.
script -qfec 'bash --noprofile --norc --noediting -i' /dev/null
exit
`;
