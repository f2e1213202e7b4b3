import { existsSync, readdirSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { basename, dirname } from 'node:path';
import { runCommand } from '../../test/support/running-process.ts';
import type { SmallDisk } from './small-disk.ts';
import type { Supervised } from './supervised.ts';

/** Something wrong with the world, for a while. */
export interface Fault {
  readonly name: string;
  /** Whom to kill while it lasts; default: whom chance names. */
  readonly victims?: readonly Victim[];
  /** The file emitter cannot deliver while it lasts. */
  readonly stopsDelivery?: true;
  /** A process may end by it, and is started again; data may not be lost all the same. */
  readonly mayEndProcesses?: true;
  begin(): Promise<void> | void;
  /** For a process that was started while it lasts. */
  onStarted?(pid: number): Promise<void> | void;
  end(): Promise<void> | void;
}

export type Victim = 'collector' | 'aggregator';

export interface World {
  readonly collector: Supervised;
  readonly aggregator: Supervised;
  readonly outputPath: string;
  /** undefined: mounting is not allowed here. */
  readonly stateDisk: SmallDisk | undefined;
  readonly outputDisk: SmallDisk | undefined;
}

export const NO_FAULT: Fault = { name: 'nothing else', begin() {}, end() {} };

/** Below the product's reserve of free space (256 MiB), far above what it needs to move its cursors. */
const NEARLY_FULL_BYTES = 64 * 1024 * 1024;
/** Less than any state file: every write fails that is not at a file's very beginning. */
const FILE_SIZE_LIMIT_BYTES = 4096;

export function faultsOf(world: World): Fault[] {
  const { stateDisk, outputDisk } = world;
  return [
    NO_FAULT,
    slowReader(world),
    rotatedOutput(world),
    replacedDirectory(world),
    fileSizeLimit([world.collector, world.aggregator]),
    ...(stateDisk === undefined ? [] : [nearlyFullDisk(stateDisk), fullDisk(stateDisk)]),
    ...(outputDisk === undefined ? [] : [fullDestination(outputDisk)]),
  ];
}

export function nearlyFullDisk(disk: SmallDisk): Fault {
  return {
    name: 'the disk of the states is nearly full',
    begin: () => disk.fill(NEARLY_FULL_BYTES),
    end: () => disk.free(),
  };
}

export function fullDisk(disk: SmallDisk): Fault {
  return {
    name: 'the disk of the states is full',
    begin: () => disk.fill(0),
    end: () => disk.free(),
  };
}

function fullDestination(disk: SmallDisk): Fault {
  return {
    name: 'the disk of the output is full',
    stopsDelivery: true,
    begin: () => disk.fill(0),
    end: () => disk.free(),
  };
}

/** Nobody reads what the text emitter prints; the file emitter must not care. */
function slowReader({ aggregator }: World): Fault {
  return {
    name: 'nobody reads the stdout of the aggregator',
    begin: () => aggregator.process?.pauseStdout(),
    end: () => aggregator.process?.resumeStdout(),
  };
}

/** Like logrotate: renamed and then notified, or killed before the notification. */
function rotatedOutput({ aggregator, outputPath }: World): Fault {
  return {
    name: 'the output is renamed',
    begin() {
      if (existsSync(outputPath)) renameSync(outputPath, `${outputPath}.${outputParts(outputPath).length}`);
      aggregator.process?.signal('SIGHUP');
    },
    end() {},
  };
}

/** The output's directory is away, and a file has its name: nothing can be opened there after a restart. */
function replacedDirectory({ outputPath }: World): Fault {
  const directory = dirname(outputPath);
  const away = `${directory}.away`;
  return {
    name: 'the directory of the output is away',
    stopsDelivery: true,
    victims: ['aggregator'],
    begin() {
      renameSync(directory, away);
      writeFileSync(directory, 'not a directory\n');
    },
    end() {
      rmSync(directory);
      renameSync(away, directory);
    },
  };
}

/**
 * A full disk without a disk: no file of these processes may grow beyond a few kilobytes. Nor may what is
 * there be written anew, which a full disk allows, and LMDB ends the process by it.
 */
export function fileSizeLimit(processes: readonly Supervised[]): Fault {
  const limit = (pid: number, bytes: string) =>
    runCommand({
      name: 'prlimit',
      command: 'prlimit',
      args: ['--pid', String(pid), `--fsize=${bytes}:unlimited`],
    });
  const all = async (bytes: string) => {
    for (const { process } of processes) {
      if (process !== undefined && process.exit === undefined)
        await limit(process.pid, bytes).catch(() => {});
    }
  };
  return {
    name: 'no file may grow',
    mayEndProcesses: true,
    begin: () => all(String(FILE_SIZE_LIMIT_BYTES)),
    onStarted: async (pid) => {
      await limit(pid, String(FILE_SIZE_LIMIT_BYTES)).catch(() => {});
    },
    end: () => all('unlimited'),
  };
}

/** The output in the order in which it was written: `output.log.1`, `output.log.2`, ..., `output.log`. */
export function outputParts(outputPath: string): string[] {
  const directory = dirname(outputPath);
  const name = basename(outputPath);
  const rotated = readdirSync(directory)
    .filter((file) => file.startsWith(`${name}.`) && /^\d+$/.test(file.slice(name.length + 1)))
    .sort((a, b) => Number(a.slice(name.length + 1)) - Number(b.slice(name.length + 1)))
    .map((file) => `${directory}/${file}`);
  return [...rotated, ...(existsSync(outputPath) ? [outputPath] : [])];
}
