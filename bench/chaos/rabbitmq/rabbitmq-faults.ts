import { setTimeout as sleep } from 'node:timers/promises';
import type { OwnRabbitmq } from '../../../testkit/own-rabbitmq.ts';
import type { Fault } from '../faults.ts';

export const RECORDS_QUEUE = 'records';
const QUEUE_RETURN_TIMEOUT_MS = 60_000;

/** Messages that the broker had confirmed, and that an operator has deleted. */
export interface Destroyed {
  messages: number;
}

/** The faults of a broker that keeps its messages. */
export function brokerFaults(broker: OwnRabbitmq): readonly Fault[] {
  return [
    { name: 'RabbitMQ is killed', begin: () => broker.kill(), end: () => broker.start() },
    {
      name: 'RabbitMQ is killed and started at once',
      async begin() {
        await broker.kill();
        await broker.start();
      },
      end() {},
    },
    { name: 'RabbitMQ is stopped', begin: () => broker.stop(), end: () => broker.start() },
    { name: 'RabbitMQ is suspended', begin: () => broker.freeze(), end: () => broker.thaw() },
    {
      name: 'RabbitMQ has the alarm of a full disk',
      begin: () => broker.raiseDiskAlarm(),
      end: () => broker.clearDiskAlarm(),
    },
  ];
}

/** An operator destroys messages that the broker had confirmed. */
export function destroyingFaults(broker: OwnRabbitmq, destroyed: Destroyed): readonly Fault[] {
  return [
    {
      name: 'the queue is purged',
      async begin() {
        destroyed.messages += await broker.purge(RECORDS_QUEUE);
      },
      end() {},
    },
    {
      name: 'the queue is deleted',
      async begin() {
        destroyed.messages += await broker.deleteQueue(RECORDS_QUEUE);
      },
      async end() {
        await untilDeclared(broker);
        await broker.syncQueueNames();
      },
    },
  ];
}

/** The emitter and the intakes declare it again. */
async function untilDeclared(broker: OwnRabbitmq): Promise<void> {
  const deadline = performance.now() + QUEUE_RETURN_TIMEOUT_MS;
  while (!(await exists(broker))) {
    if (performance.now() > deadline) throw new Error(`nothing declared the queue "${RECORDS_QUEUE}" again`);
    await sleep(200);
  }
}

async function exists(broker: OwnRabbitmq): Promise<boolean> {
  return await broker
    .use(async (connection) => {
      const channel = await connection.createChannel();
      channel.on('error', () => {});
      await channel.checkQueue(RECORDS_QUEUE);
      return true;
    })
    .catch(() => false);
}
