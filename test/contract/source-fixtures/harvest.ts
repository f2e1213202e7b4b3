import { appendFile } from 'node:fs/promises';
import { join } from 'node:path';
import { textsOf } from '../../support/captured-sink.ts';
import type { SourceFixture } from '../source-fixture.ts';

export const harvestFixture: SourceFixture = {
  name: 'harvest',
  open: async (directory) => ({
    environment: { COLLECTOR_HARVEST: JSON.stringify([{ path: directory, complete: '30ms' }]) },
    write: (records) => appendFile(join(directory, 'a.log'), records.map((text) => `${text}\n`).join('')),
    texts: (batch) => textsOf([batch]).map((line) => line.trimEnd()),
  }),
};
