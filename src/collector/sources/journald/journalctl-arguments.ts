import type { JournaldEntry } from './configuration.ts';

type Place = Pick<JournaldEntry, 'directory' | 'files' | 'namespace'>;
type Selection = Place & Pick<JournaldEntry, 'units' | 'matches' | 'merge'>;

/** Identifies the stream of an entry of the configuration, for people too. */
export function journalOrigin(entry: Selection): string {
  const merged = entry.merge && isOwn(entry) ? ['--merge'] : [];
  return ['journald', ...placeArguments(entry), ...merged, ...ownMatches(entry)].join(' ');
}

/** Without `--all`, journalctl leaves out fields that are large. */
const FORMAT = ['--no-pager', '--output=export', '--all'];

/**
 * `--follow` alone reads only the current boot. With `--merge` it reads all boots, but also the journals of other
 * machines: the match of the machine id excludes them.
 */
export function readArguments(entry: Selection, reading: Reading): readonly string[] {
  const { cursor, isFollowing, machineId } = reading;
  return [
    ...FORMAT,
    '--merge',
    ...placeArguments(entry),
    ...(isFollowing ? ['--follow', '--no-tail'] : []),
    // Not `--after-cursor`: for an entry that is gone or does not match, it skips an entry that was not read.
    ...(cursor === undefined ? [] : [`--cursor=${cursor}`]),
    ...(machineId === undefined || entry.merge || !isOwn(entry) ? [] : [`_MACHINE_ID=${machineId}`]),
    ...ownMatches(entry),
  ];
}

export interface Reading {
  /** The entry to begin with, included. */
  readonly cursor?: string | undefined;
  readonly isFollowing: boolean;
  /** Of this machine; undefined: unknown. */
  readonly machineId?: string | undefined;
}

/** The same journal, with all its entries. */
export function withoutMatches(entry: Selection): Selection {
  return { ...entry, units: [], matches: [], merge: true };
}

export function hasMatches({ units, matches }: Pick<Selection, 'units' | 'matches'>): boolean {
  return units.length + matches.length > 0;
}

function isOwn({ directory, files }: Place): boolean {
  return directory === undefined && files === undefined;
}

function placeArguments({ directory, files = [], namespace }: Place): readonly string[] {
  return [
    ...(directory === undefined ? [] : [`--directory=${directory}`]),
    ...files.map((file) => `--file=${file}`),
    ...(namespace === undefined ? [] : [`--namespace=${namespace}`]),
  ];
}

function ownMatches({ units, matches }: Pick<Selection, 'units' | 'matches'>): readonly string[] {
  return [...units.map((unit) => `_SYSTEMD_UNIT=${unit}`), ...matches];
}
