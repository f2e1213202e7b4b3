import { resolve } from 'node:path';
import { Registry } from 'prom-client';
import type { StreamSink } from '../../source.ts';
import type { ConfiguredSource, DocumentedValue, SourceType } from '../source-type.ts';
import type { TailEntry } from './files/tail-configuration.ts';
import { rememberEntries, rememberedEntries } from './remembered-entries.ts';
import { sourceFileEntry, sourceFileProblems, sourceFileWarnings } from './source-file.ts';
import { unknownFormats } from './unknown-formats.ts';
import { TAIL_VARIABLES } from './variables.ts';

/** Files that are followed. */
export interface TailConfiguration {
  readonly entries: readonly TailEntry[];
  /** The only file to read, absolute; it is one of `entries`. The run prints at its end how much was read. */
  readonly sourceFile: string | undefined;
}

const DOCUMENTED_VALUE: DocumentedValue = {
  variable: TAIL_VARIABLES.tailConfiguration.name,
  introduction: 'A JSON list. Each object describes a group of files that are read alike:',
  options: [
    {
      key: 'paths',
      format: 'list of globs',
      default: 'required',
      description: 'Files to read. Compressed files (`.gz`, `.zst`, `.xz`, `.bz2`, `.zip`) are skipped.',
    },
    {
      key: 'exclude',
      format: 'list of globs',
      default: 'none',
      description: 'Files to skip. A glob without a slash matches the file name in any directory: `*.tmp`.',
    },
    {
      key: 'format',
      format: 'name of a format',
      default: '`plain`',
      description:
        'Format in which the aggregator parses the records for its emitters: `plain`, `json`, `combined`, ...',
    },
    {
      key: 'resource',
      format: 'object of texts',
      default: 'none',
      description: 'Resource attributes that are added to every record.',
    },
    {
      key: 'start_at',
      format: '`beginning` or `end`',
      default: '`beginning`',
      description: 'Start position of a file that existed before the first start and is not known.',
    },
    {
      key: 'ignore_older',
      format: 'duration',
      default: 'none',
      description: 'Do not start to read files that were last modified longer ago than this.',
    },
    {
      key: 'multiline',
      format: '`{"start": regex}` or `{"continue": regex}`',
      default: 'none',
      description:
        'How lines are joined: a matching line starts a record, or belongs to the record before it.',
    },
  ],
};

export const tailType: SourceType<TailConfiguration, typeof TAIL_VARIABLES> = {
  name: 'tail',
  variables: TAIL_VARIABLES,
  enabledBy: [
    TAIL_VARIABLES.tail.name,
    TAIL_VARIABLES.sourceFile.name,
    TAIL_VARIABLES.tailConfiguration.name,
  ],
  documentedValue: DOCUMENTED_VALUE,
  parse: (values, context) => {
    const sourceFile = values.sourceFile === undefined ? undefined : resolve(values.sourceFile);
    const entries = [
      ...(sourceFile === undefined ? [] : [sourceFileEntry(sourceFile, values.now)]),
      ...(values.tail ?? []),
      ...(values.tailConfiguration ?? []),
    ];
    return {
      configuration: entries.length === 0 ? undefined : { entries, sourceFile },
      problems: [...sourceFileProblems(values, context), ...unknownFormats(entries)],
      warnings: sourceFileWarnings(values),
      isOneShot: sourceFile !== undefined && !values.watch,
      isAttended: sourceFile !== undefined,
    };
  },
  open: async ({ entries }, environment) => {
    const { createTailSource } = await import('./tail-source.ts');
    await rememberEntries(environment.store, entries);
    return createTailSource({ entries, ...environment });
  },
  // Files keep their records. Without patterns, `explain` must not claim that a file is read.
  leftovers: async (store) => {
    await rememberEntries(store, []);
    return { streams: [] };
  },
  openOffline: async (environment) => {
    const { createTailSource } = await import('./tail-source.ts');
    const source = createTailSource({
      ...environment,
      entries: rememberedEntries(environment.store),
      resource: new Map(),
      metrics: new Registry(),
      once: false,
      isOffline: true,
    });
    await source.start(NO_PUBLISHER);
    return {
      status: () => source.status(),
      explain: (path) => source.explain(path),
      close: async () => {
        await source.stop(AbortSignal.abort());
        await source.close();
      },
    };
  },
};

/** Scans the files without sending records. */
const NO_PUBLISHER: StreamSink = { open: () => {}, wake: () => {}, close: () => {} };

/** The configuration of the tail among these sources; undefined when no files are followed. */
export function tailConfigurationOf(sources: readonly ConfiguredSource[]): TailConfiguration | undefined {
  const found = sources.find(({ type }) => type.name === tailType.name);
  return found?.configuration as TailConfiguration | undefined;
}
