import type { Journal } from '../journal/journal.ts';
import type { JournalOptions } from '../journal/journal-options.ts';
import type { SourceEnvironment } from './source-type.ts';

/** Opens the journal of a source. Loads it on demand, because the registry of sources is part of `--help`. */
export async function openSourceJournal(
  options: Pick<JournalOptions, 'name' | 'unlabelledPrefix' | 'maxBytes' | 'lossRecord' | 'onRecovered'>,
  { stateDirectory: directory, store: state, clock, logger, metrics }: SourceEnvironment,
): Promise<Journal> {
  const journals = await import('../journal/journal.ts');
  return await journals.Journal.open({ ...options, directory, state, clock, logger, metrics });
}
