import { resolve } from 'node:path';
import { Registry } from 'prom-client';
import { EMPTY_RESOURCE } from '../../../records/resource.ts';
import type { StreamSink } from '../../source.ts';
import type { ConfiguredSource, SourceType } from '../source-type.ts';
import { describedResource, type TailEntry } from './files/tail-configuration.ts';
import { forgetFile } from './forget-file.ts';
import { rememberEntries, rememberedEntries } from './remembered-entries.ts';
import { sourceFileEntry, sourceFileProblems, sourceFileWarnings } from './source-file.ts';
import { unknownFormats } from './unknown-formats.ts';
import { TAIL_VARIABLES } from './variables.ts';
import { wrongEncodings } from './wrong-encodings.ts';

/** Files that are followed. */
export interface TailConfiguration {
  readonly entries: readonly TailEntry[];
  /** The only file to read, absolute; it is one of `entries`. The run prints at its end how much was read. */
  readonly sourceFile: string | undefined;
}

export const tailType: SourceType<TailConfiguration, typeof TAIL_VARIABLES> = {
  name: 'tail',
  variables: TAIL_VARIABLES,
  enabledBy: [
    TAIL_VARIABLES.tail.name,
    TAIL_VARIABLES.sourceFile.name,
    TAIL_VARIABLES.tailConfiguration.name,
  ],
  parse: (values, context) => {
    const sourceFile = values.sourceFile === undefined ? undefined : resolve(values.sourceFile);
    const { name, options } = values.sourceFormat;
    const single = sourceFile === undefined ? [] : [sourceFileEntry(sourceFile, values)];
    const entries = [...single, ...(values.tail ?? []), ...(values.tailConfiguration ?? [])];
    return {
      configuration: entries.length === 0 ? undefined : { entries, sourceFile },
      problems: [
        ...sourceFileProblems(values, context),
        ...unknownFormats(values.tailConfiguration ?? []),
        ...wrongEncodings(values.tailConfiguration ?? [], TAIL_VARIABLES.tailConfiguration.name),
        ...wrongEncodings(single, TAIL_VARIABLES.sourceEncoding.name),
        ...unknownFormats(
          [{ format: name, resource: describedResource(EMPTY_RESOURCE, { options }) }],
          'COLLECTOR_SOURCE_FORMAT',
        ),
      ],
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
  forget: forgetFile,
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
