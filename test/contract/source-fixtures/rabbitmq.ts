import { vi } from 'vitest';
import { forEachRecord } from '../../../src/records/record-batch.ts';
import { MISSING_RABBITMQ, sharedBroker, useBroker } from '../../support/rabbitmq-broker.ts';
import type { SourceFixture } from '../source-fixture.ts';

/** A queue of its own for each test, at one broker for all of them. */
export const rabbitmqSourceFixture: SourceFixture = {
  name: 'rabbitmq',
  ...(MISSING_RABBITMQ !== undefined && { missing: MISSING_RABBITMQ }),
  prepare: () => useBroker(),
  open: async (directory) => {
    const broker = await sharedBroker();
    const entry = { address: broker.url(), queue: directory, queue_type: 'classic' };
    return {
      environment: { COLLECTOR_RABBITMQ_CONFIGURATION: JSON.stringify([entry]) },
      write: (records) =>
        vi.waitFor(
          () =>
            broker.use(async (connection) => {
              const channel = await connection.createConfirmChannel();
              channel.on('error', () => {});
              await channel.assertQueue(directory, {
                durable: true,
                arguments: { 'x-queue-type': 'classic' },
              });
              for (const record of records)
                channel.sendToQueue(directory, Buffer.from(record), { persistent: true });
              await channel.waitForConfirms();
            }),
          { timeout: 20_000, interval: 50 },
        ),
      texts: (batch) => {
        const texts: string[] = [];
        forEachRecord(batch, (bytes) => void texts.push(Buffer.from(bytes).toString().trimEnd()));
        return texts;
      },
    };
  },
};
