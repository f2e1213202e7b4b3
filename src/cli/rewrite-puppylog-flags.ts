import { join } from 'node:path';
import type { Environment } from '../runtime/configuration/configuration.ts';

/**
 * Rewrites the options of puppylog, the predecessor of this program: `collector -s FILE -w -n -r` and
 * `monitor metrics create -id ID -pr 60 -rr 60 -seg EXPRESSION`. Commander has no short flags of two letters.
 */
export function rewritePuppylogFlags(argv: readonly string[], environment: Environment): readonly string[] {
  if (argv[0] === 'monitor') return argv.map((word) => MONITOR_FLAGS.get(word) ?? word);
  if (argv[0] !== 'collector') return argv;
  const words = argv.flatMap((word) => (SHORT.test(word) ? longFlags(word) : word));
  return needsDefaultSource(words, environment) ? [...words, '--source', defaultSource(environment)] : words;
}

const MONITOR_FLAGS: ReadonlyMap<string, string> = new Map([
  ['-id', '--identifier'],
  ['-pr', '--period'],
  ['-rr', '--refresh'],
  ['--refresh_rate', '--refresh'],
  ['-seg', '--segment'],
  ['--segment_expression', '--segment'],
]);

/** One word may contain several flags: `-wn`. */
const SHORT = /^-[swnr]+$/;

const COLLECTOR_FLAGS: ReadonlyMap<string, readonly string[]> = new Map([
  ['s', ['--source']],
  ['w', ['--watch']],
  ['n', ['--now']],
  // It showed the output of the psql program, which is not used any more.
  ['r', []],
]);

function longFlags(word: string): readonly string[] {
  return word
    .slice(1)
    .split('')
    .flatMap((letter) => COLLECTOR_FLAGS.get(letter) ?? []);
}

/** Without a source, puppylog read `access.log` in the directory for temporary files. */
function defaultSource({ TMPDIR }: Environment): string {
  return join(TMPDIR || '/tmp', 'access.log');
}

const SOURCES = [
  'COLLECTOR_SOURCE',
  'COLLECTOR_TAIL',
  'COLLECTOR_TAIL_CONFIGURATION',
  'COLLECTOR_HARVEST',
  'SERVE_DB_DIR',
];
const SOURCE_FLAG = /^--(?:source|tail|tail-configuration(?:-file)?|harvest(?:-file)?|serve-db-dir)(?:=|$)/;

/**
 * Applies only with a flag that implies a source: a collector without any configuration is more likely a
 * mistake.
 */
function needsDefaultSource(words: readonly string[], environment: Environment): boolean {
  if (!words.some((word) => /^--(?:watch|now)(?:=|$)/.test(word))) return false;
  const isSet = (name: string) =>
    environment[name] !== undefined || environment[`${name}_FILE`] !== undefined;
  return !words.some((word) => SOURCE_FLAG.test(word)) && !SOURCES.some(isSet);
}
