import { vi } from 'vitest';
import { formatNamed } from '../../../src/formats/registry.ts';
import { forEachRecord } from '../../../src/records/record-batch.ts';
import { freePort } from '../../../testkit/free-ports.ts';
import type { SourceFixture } from '../source-fixture.ts';

export const httpSourceFixture: SourceFixture = {
  name: 'http',
  open: async () => {
    const port = await freePort();
    return {
      streamOrigin: `http://127.0.0.1:${port}`,
      environment: { COLLECTOR_HTTP: `http://127.0.0.1:${port}` },
      write: async (records) => {
        const post = () =>
          fetch(`http://127.0.0.1:${port}/v1/push`, {
            method: 'POST',
            headers: { 'content-type': 'text/plain' },
            body: records.join('\n'),
          });
        // The source may not be listening yet; a refused connection has delivered nothing.
        const { status } = await vi.waitFor(post, { timeout: 20_000, interval: 20 });
        if (status !== 200) throw new Error(`The source answered ${status}.`);
      },
      texts: (batch) => {
        const texts: string[] = [];
        forEachRecord(batch, (bytes) => void texts.push(formatNamed(batch.format).parse(bytes, batch).body));
        return texts;
      },
    };
  },
};
