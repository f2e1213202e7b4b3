import { appendFile } from 'node:fs/promises';
import { join } from 'node:path';
import { textsOf } from '../../support/captured-sink.ts';
import type { SourceFixture } from '../source-fixture.ts';

export const tailFixture: SourceFixture = {
  name: 'tail',
  open: async (directory) => ({
    environment: { COLLECTOR_TAIL: join(directory, '*.log') },
    write: (records) => appendFile(join(directory, 'a.log'), records.map((text) => `${text}\n`).join('')),
    texts: (batch) => textsOf([batch]).map((line) => line.trimEnd()),
  }),
};
