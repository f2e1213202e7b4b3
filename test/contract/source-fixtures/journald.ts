import { join } from 'node:path';
import { journald } from '../../../src/formats/journald.ts';
import { forEachRecord } from '../../../src/records/record-batch.ts';
import { entriesOf, MISSING_JOURNAL_FILES, writeJournal } from '../../support/journal-files.ts';
import type { SourceFixture } from '../source-fixture.ts';

const START_US = 1_700_000_000_000_000;

export const journaldFixture: SourceFixture = {
  name: 'journald',
  ...(MISSING_JOURNAL_FILES !== undefined && { missing: MISSING_JOURNAL_FILES }),
  open: async (directory) => {
    let written = 0;
    return {
      environment: { COLLECTOR_JOURNALD_CONFIGURATION: JSON.stringify([{ directory }]) },
      write: async (records) => {
        await writeJournal(join(directory, 'a.journal'), entriesOf(records, START_US + written));
        written += records.length;
      },
      texts: (batch) => {
        const texts: string[] = [];
        forEachRecord(batch, (bytes) => void texts.push(journald.parse(bytes).body));
        return texts;
      },
    };
  },
};
