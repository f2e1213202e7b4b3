import { join } from 'node:path';
import { vi } from 'vitest';
import { logfebe } from '../../../src/formats/logfebe.ts';
import { forEachRecord } from '../../../src/records/record-batch.ts';
import { FebeClient } from '../../support/febe-client.ts';
import { submitServes } from '../../support/served-standalone.ts';
import type { SourceFixture } from '../source-fixture.ts';

const PATIENT = { timeout: 20_000, interval: 20 };

export const pgLogfebeFixture: SourceFixture = {
  name: 'pg-logfebe',
  open: async (directory) => {
    const path = join(directory, 'db.sock');
    await submitServes(directory, [{ i: 'db', p: path, t: 't.test' }]);
    let client: FebeClient | undefined;
    return {
      environment: { SERVE_DB_DIR: directory, LOGPLEX_URL: 'https://logplex.example.com/logs' },
      write: async (records) => {
        if (client === undefined || client.closed)
          client = await vi.waitFor(() => FebeClient.greeted(path, 'db'), PATIENT);
        for (const record of records) await client.record(record);
      },
      texts: (batch) => {
        const texts: string[] = [];
        forEachRecord(batch, (bytes) => void texts.push(logfebe.parse(bytes, batch).body));
        return texts;
      },
    };
  },
};
