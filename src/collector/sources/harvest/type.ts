import { resolve } from 'node:path';
import type { ConfiguredSource, SourceType } from '../source-type.ts';
import { tailConfigurationOf } from '../tail/type.ts';
import { unknownFormats } from '../tail/unknown-formats.ts';
import { wrongEncodings } from '../tail/wrong-encodings.ts';
import type { HarvestEntry } from './configuration.ts';
import { overlapProblems } from './overlaps.ts';
import { storedUploads } from './stored-uploads.ts';
import { HARVEST_VARIABLES } from './variables.ts';

/** Directories into which files are uploaded. */
export interface HarvestConfiguration {
  readonly entries: readonly HarvestEntry[];
}

export const harvestType: SourceType<HarvestConfiguration, typeof HARVEST_VARIABLES> = {
  name: 'harvest',
  variables: HARVEST_VARIABLES,
  enabledBy: [HARVEST_VARIABLES.harvest.name],
  parse: ({ harvest }) => ({
    configuration: harvest === undefined ? undefined : { entries: harvest },
    problems: [unknownFormats, wrongEncodings].flatMap((problemsOf) =>
      problemsOf(harvest?.map(({ reading }) => reading) ?? [], HARVEST_VARIABLES.harvest.name),
    ),
  }),
  conflicts: ({ entries }, sources) =>
    overlapProblems(entries, tailConfigurationOf(sources)?.entries ?? [], resolve('.')),
  open: async ({ entries }, environment) => {
    const { createHarvestSource } = await import('./harvest-source.ts');
    return createHarvestSource({ entries, ...environment });
  },
  leftovers: async (store) => ({ streams: storedUploads(store) }),
  directories: ({ entries }) =>
    entries.flatMap(({ path, after }) =>
      after.kind === 'keep' ? [] : [{ what: 'the upload directory', path }],
    ),
};

/** The upload directories among these sources. */
export function harvestEntriesOf(sources: readonly ConfiguredSource[]): readonly HarvestEntry[] {
  const found = sources.find(({ type }) => type.name === harvestType.name);
  return (found?.configuration as HarvestConfiguration | undefined)?.entries ?? [];
}
