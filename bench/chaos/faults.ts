import { existsSync, readdirSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { basename, dirname } from 'node:path';
import { runCommand } from '../../testkit/running-process.ts';
import type { SmallDisk } from '../../testkit/small-disk.ts';
import type { Supervised } from './supervised.ts';

/** A fault of the environment, for a while. */
export interface Fault {
  readonly name: string;
  /** The processes to kill during the fault; default: random. */
  readonly victims?: readonly Victim[];
  /** The file emitter cannot deliver during the fault. */
  readonly stopsDelivery?: true;
  /** The fault may end a process, which is then restarted; no data may be lost all the same. */
  readonly mayEndProcesses?: true;
  begin(): Promise<void> | void;
  /** Applies the fault to a process that was started during the fault. */
  onStarted?(pid: number): Promise<void> | void;
  end(): Promise<void> | void;
}

export type Victim = 'collector' | 'aggregator';

export interface World {
  readonly collector: Supervised;
  readonly aggregator: Supervised;
  readonly outputPath: string;
  /** undefined: mounting is not permitted here. */
  readonly stateDisk: SmallDisk | undefined;
  readonly outputDisk: SmallDisk | undefined;
}

export const NO_FAULT: Fault = { name: 'nothing else', begin() {}, end() {} };

/**
 * Below the product's reserve of free space (256 MiB), but far above the space that it needs to advance its
 * cursors.
 */
const NEARLY_FULL_BYTES = 64 * 1024 * 1024;
/** Smaller than any state file: every write fails that is not at the very beginning of a file. */
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

/** The output of the text emitter is not read; the file emitter must not be affected. */
function slowReader({ aggregator }: World): Fault {
  return {
    name: 'the stdout of the aggregator is not read',
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

/** A file replaces the output's directory: nothing can be opened there after a restart. */
function replacedDirectory({ outputPath }: World): Fault {
  const directory = dirname(outputPath);
  const away = `${directory}.away`;
  return {
    name: 'the directory of the output is missing',
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
 * Like a full disk, without a disk: no file of these processes may exceed a few kilobytes. Unlike on a full
 * disk, existing data cannot be overwritten either, and LMDB ends the process.
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

/**
 * The files of the output in the order in which they were written: `output.log.1`, `output.log.2`, ...,
 * `output.log`.
 */
export function outputParts(outputPath: string): string[] {
  const directory = dirname(outputPath);
  const name = basename(outputPath);
  const rotated = readdirSync(directory)
    .filter((file) => file.startsWith(`${name}.`) && /^\d+$/.test(file.slice(name.length + 1)))
    .sort((a, b) => Number(a.slice(name.length + 1)) - Number(b.slice(name.length + 1)))
    .map((file) => `${directory}/${file}`);
  return [...rotated, ...(existsSync(outputPath) ? [outputPath] : [])];
}
