import { readFileSync } from 'node:fs';
import { cpus, release, totalmem } from 'node:os';
import { runCommand } from '../testkit/running-process.ts';

/** Describes the machine, to interpret the figures. */
export async function describeMachine(directory: string): Promise<string> {
  const [cpu] = cpus();
  const fileSystem = await runCommand({ name: 'stat', command: 'stat', args: ['-f', '-c', '%T', directory] });
  return [
    `${cpus().length} cores of ${cpu?.model.trim() ?? 'unknown'}`,
    `${Math.round(totalmem() / 2 ** 30)} GiB of memory`,
    `${operatingSystem()}, Linux ${release()}`,
    `${fileSystem.trim()}`,
    `Node ${process.version}`,
  ].join('; ');
}

function operatingSystem(): string {
  try {
    return /^PRETTY_NAME="(.*)"$/m.exec(readFileSync('/etc/os-release', 'utf8'))?.[1] ?? 'unknown system';
  } catch {
    return 'unknown system';
  }
}
