import { resolve } from 'node:path';
import type { Logger } from 'pino';
import type { Clock } from '../runtime/clock.ts';
import {
  type Environment,
  FILE_SUFFIX,
  hasFileForm,
  type VariableTable,
} from '../runtime/configuration/configuration.ts';
import { ContentWatcher } from '../runtime/watching/content-watcher.ts';

/** A file that the configuration names. */
export interface NamedFile {
  readonly path: string;
  /** `AGGREGATOR_TLS_KEY_FILE`, or `ca_file` of an emitter. */
  readonly namedBy: string;
  /** A running process can use its new content. Otherwise the new content is used at the next start. */
  readonly isReloadable: boolean;
}

export interface ReloadedFilesOptions {
  readonly files: readonly NamedFile[];
  /** As SIGHUP does. */
  readonly reload: () => Promise<void>;
  readonly logger: Logger;
  readonly clock: Clock;
}

/** Deeper than any configuration. */
const MAX_DEPTH = 8;

/** The file of --config, and the files that are named by a `_FILE` variable or by a key that ends with `_file` in a JSON value. */
export function namedFiles(
  table: VariableTable,
  environment: Environment,
  config: unknown,
  configurationFile?: string,
): readonly NamedFile[] {
  const ofVariables = Object.values(table)
    .filter(hasFileForm)
    .flatMap(({ name, reloads }) => {
      const path = environment[name + FILE_SUFFIX];
      if (!path) return [];
      return [{ path: resolve(path), namedBy: name + FILE_SUFFIX, isReloadable: reloads === true }];
    });
  const own =
    configurationFile === undefined
      ? []
      : [{ path: configurationFile, namedBy: '--config', isReloadable: true }];
  return [...own, ...ofVariables, ...fileKeys(config, 0)];
}

/** Reloads the files that change while the process runs. Returns nothing to watch as `undefined`. */
export function watchNamedFiles(options: ReloadedFilesOptions): ContentWatcher | undefined {
  const { files, logger, clock } = options;
  if (files.length === 0) return undefined;
  return new ContentWatcher({
    paths: [...new Set(files.map(({ path }) => path))],
    clock,
    onChange: (changed) => onChange(options, changed),
    onFailure: ({ message }) =>
      logger.warn(`Cannot watch the files of the configuration: ${message}. They are checked once a minute`),
  });
}

function onChange({ files, reload, logger }: ReloadedFilesOptions, changed: ReadonlySet<string>): void {
  const concerned = files.filter(({ path }) => changed.has(path));
  for (const { path, namedBy, isReloadable } of concerned) {
    if (isReloadable) logger.info({ path }, `The file of ${namedBy} has changed: reloading`);
    else logger.warn({ path }, `The file of ${namedBy} has changed. Restart the process to use it`);
  }
  if (!concerned.some(({ isReloadable }) => isReloadable)) return;
  reload().catch((error: unknown) => logger.error({ err: error }, 'Cannot reload files'));
}

function fileKeys(value: unknown, depth: number): readonly NamedFile[] {
  if (typeof value !== 'object' || value === null || depth > MAX_DEPTH || !isPlain(value)) return [];
  return Object.entries(value).flatMap(([key, each]: [string, unknown]) =>
    typeof each === 'string' && key.endsWith('_file') && each !== ''
      ? [{ path: resolve(each), namedBy: `"${key}"`, isReloadable: true }]
      : fileKeys(each, depth + 1),
  );
}

function isPlain(value: object): boolean {
  return Array.isArray(value) || Object.getPrototypeOf(value) === Object.prototype;
}
