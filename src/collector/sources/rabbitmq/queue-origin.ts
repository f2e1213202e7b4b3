import { brokerAddressText } from '../../../transport/rabbitmq/broker-address.ts';
import type { RabbitmqQueueConfiguration } from './configuration.ts';

/** The origin of a stream: the first address of the cluster without its user, and the queue. */
export function queueOrigin({ address, queue }: RabbitmqQueueConfiguration): string {
  const [first] = address;
  return `${first === undefined ? '' : brokerAddressText(first)} ${queue}`;
}
