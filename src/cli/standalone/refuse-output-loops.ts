import type { BigIntStats } from 'node:fs';
import { realpath, stat } from 'node:fs/promises';
import { hostname } from 'node:os';
import { basename, dirname, join } from 'node:path';
import type { AggregatorEmitter } from '../../aggregator/config.ts';
import type { CollectorConfig } from '../../collector/config.ts';
import type { HarvestEntry } from '../../collector/sources/harvest/configuration.ts';
import { isBelow } from '../../collector/sources/harvest/find-uploads.ts';
import { harvestEntriesOf } from '../../collector/sources/harvest/type.ts';
import { PathPatterns } from '../../collector/sources/tail/files/path-patterns.ts';
import type { Resource } from '../../records/resource.ts';
import {
  ConfigurationError,
  type ConfigurationProblem,
} from '../../runtime/configuration/configuration-error.ts';
import { printable } from '../output/text-table.ts';
import { tailInputs } from '../tail-inputs.ts';
import { tailMatches } from '../tail-matches.ts';
import type { StandaloneConfig } from './parse-standalone-config.ts';

type Halves = {
  readonly collector: Pick<CollectorConfig, 'sources' | 'once' | 'resourceAttributes'>;
  readonly aggregator: Pick<StandaloneConfig['aggregator'], 'emitters' | 'stateDirectory'>;
};

/**
 * Rejects with a ConfigurationError when the collector would read a file that an emitter of the same process
 * writes: each record would return as a new record, without end. `stdout`: the file to which standard output
 * is redirected.
 */
export async function refuseOutputLoops(
  { collector, aggregator }: Halves,
  stdout: BigIntStats | undefined,
): Promise<void> {
  const patterns = new PathPatterns(tailInputs(collector).tail, process.cwd());
  const uploads = harvestEntriesOf(collector.sources);
  const problems: ConfigurationProblem[] = [];
  for (const emitter of aggregator.emitters) {
    for (const { path, file } of await outputsOf(emitter, { collector, aggregator }, stdout)) {
      const found =
        (await matchOf(path, (place) => isRead(place, patterns, uploads))) ??
        (await sameFile(file, collector));
      if (found === undefined) continue;
      problems.push(problem(emitter, path, found));
      break;
    }
  }
  if (problems.length > 0) throw new ConfigurationError(problems);
}

interface Output {
  /** undefined: standard output. */
  readonly path: string | undefined;
  /** undefined: it does not exist yet. */
  readonly file: BigIntStats | undefined;
}

/** One output for each path, for all records that are written there. */
async function outputsOf(
  { type, name, configuration }: AggregatorEmitter,
  { collector, aggregator: { stateDirectory } }: Halves,
  stdout: BigIntStats | undefined,
): Promise<readonly Output[]> {
  const outputs = resourcesOf(collector).flatMap(
    (resource) => type.outputs?.(configuration, { name, stateDirectory, resource }) ?? [],
  );
  const paths = new Set(outputs.flatMap((output) => (output.kind === 'file' ? [output.path] : [])));
  const files = await Promise.all([...paths].map(async (path) => ({ path, file: await statsOf(path) })));
  const printed = outputs.some(({ kind }) => kind === 'stdout');
  return printed && stdout?.isFile() ? [...files, { path: undefined, file: stdout }] : files;
}

/** Placeholder for an attribute in a path that is not known before a file is read. */
const ANY_FILE = '/any';

/** The resources of all records that are read from files. */
function resourcesOf(collector: Halves['collector']): readonly Resource[] {
  const shared: Resource = new Map([['host.name', hostname()], ...collector.resourceAttributes]);
  const uploads = harvestEntriesOf(collector.sources).map(({ reading }) => reading);
  return [...tailInputs(collector).tail, ...uploads].map(
    ({ resource }) => new Map([...shared, ...resource, ['log.file.path', ANY_FILE]]),
  );
}

/** The path under which the collector would read the output. Links are followed. */
async function matchOf(
  path: string | undefined,
  isRead: (path: string) => boolean,
): Promise<string | undefined> {
  if (path === undefined) return undefined;
  const directory = await realpath(dirname(path)).catch(() => dirname(path));
  const target = await realpath(path).catch(() => path);
  const places = [path, join(directory, basename(path)), target];
  return places.find(isRead);
}

function isRead(path: string, patterns: PathPatterns, uploads: readonly HarvestEntry[]): boolean {
  return patterns.entryFor(path) !== undefined || uploads.some((entry) => isBelow(path, entry));
}

/** Finds the same file under another name: a link, or the target of a redirection. */
async function sameFile(
  file: BigIntStats | undefined,
  collector: Halves['collector'],
): Promise<string | undefined> {
  if (file === undefined) return undefined;
  for (const { files } of await tailMatches(tailInputs(collector).tail)) {
    for (const path of files) {
      const found = await statsOf(path);
      if (found?.ino === file.ino && found.dev === file.dev) return path;
    }
  }
  return undefined;
}

async function statsOf(path: string): Promise<BigIntStats | undefined> {
  return stat(path, { bigint: true }).catch(() => undefined);
}

function problem(
  { type, name }: AggregatorEmitter,
  path: string | undefined,
  found: string,
): ConfigurationProblem {
  const output = path === undefined ? 'standard output' : printable(path);
  const place = path === found ? '' : ` as ${printable(found)}`;
  return {
    variable: type.variable,
    message:
      `the emitter "${printable(name)}" writes to ${output}, which the collector reads${place}: each record would be read ` +
      'again, without end. Write to another directory, or leave the file out with "exclude" in COLLECTOR_TAIL_CONFIGURATION',
  };
}
