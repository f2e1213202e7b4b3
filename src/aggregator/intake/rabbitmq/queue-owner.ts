import { createHash } from 'node:crypto';
import type { StreamId } from '../../../records/stream-id.ts';
import type { StreamOwner } from '../../../storage/queue/queue-contract.ts';

const COLLECTOR_ID_DIGITS = 32;
const GROUP_DIGITS = 2;

/**
 * The owner of the streams that come from a queue. A message does not name its collector, so the queue is the owner, as
 * a collector is: its streams cannot be continued by another collector or from another queue, nor it theirs. The broker's
 * permissions decide who publishes to the queue.
 *
 * The limit of streams is for one collector, and a queue has the streams of many: so its streams are those of 256 owners.
 */
export function queueOwner({ vhost, queue }: QueueName, stream: StreamId): StreamOwner {
  const group = stream.slice(0, GROUP_DIGITS);
  const collectorId = createHash('sha256')
    .update(JSON.stringify(['rabbitmq', vhost, queue, group]))
    .digest('hex')
    .slice(0, COLLECTOR_ID_DIGITS);
  return { collectorId, tlsSubject: undefined };
}

export interface QueueName {
  readonly vhost: string;
  readonly queue: string;
}
