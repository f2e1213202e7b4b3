import { storedStatus } from '../../journal/channel-status.ts';
import { openSourceJournal } from '../open-source-journal.ts';
import type { SourceType } from '../source-type.ts';
import type { RabbitmqQueueConfiguration } from './configuration.ts';
import { lossRecord } from './loss-record.ts';
import { queueOrigin } from './queue-origin.ts';
import { RABBITMQ_SOURCE_VARIABLES } from './variables.ts';

/** Queues of RabbitMQ with messages of other programs. */
export interface RabbitmqSourceConfiguration {
  readonly queues: readonly RabbitmqQueueConfiguration[];
  readonly journalMaxBytes: number;
}

const NAME = 'rabbitmq';
const { rabbitmqQueues: queuesVariable } = RABBITMQ_SOURCE_VARIABLES;

export const rabbitmqSourceType: SourceType<RabbitmqSourceConfiguration, typeof RABBITMQ_SOURCE_VARIABLES> = {
  name: NAME,
  variables: RABBITMQ_SOURCE_VARIABLES,
  enabledBy: [queuesVariable.name],
  parse: ({ rabbitmqQueues: queues = [], rabbitmqJournalMaxBytes: journalMaxBytes }) => {
    const origins = queues.map(queueOrigin);
    const repeated = origins.find((origin, index) => origins.indexOf(origin) < index);
    return {
      configuration: queues.length === 0 ? undefined : { queues, journalMaxBytes },
      problems:
        repeated === undefined ? [] : [{ variable: queuesVariable.name, message: `has ${repeated} twice` }],
    };
  },
  open: async ({ queues, journalMaxBytes }, environment) => {
    const { RabbitmqSource } = await import('./rabbitmq-source.ts');
    const journal = await openSourceJournal(
      { name: NAME, maxBytes: journalMaxBytes, lossRecord },
      environment,
    );
    return new RabbitmqSource({ queues, journal, ...environment });
  },
  leftovers: async (store) => ({ streams: storedStatus(store, NAME) }),
};
