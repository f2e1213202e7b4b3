import { REPEATED } from '../../../formats/connection-attributes.ts';
import type { Resource } from '../../../records/resource.ts';
import type { Delivery } from '../../../transport/rabbitmq/queue-consumer.ts';

/** Above it, attributes are created again. */
const MAX_REMEMBERED = 4096;
const MAX_VALUE_CHARACTERS = 255;

/** The attributes of messages, with OpenTelemetry's names. The same object for messages of the same kind. */
export class MessageAttributes {
  readonly #queue: string;
  readonly #known = new Map<string, Resource>();

  constructor(queue: string) {
    this.#queue = queue;
  }

  of({ exchange, routingKey, properties }: Delivery, isRepeated: boolean): Resource {
    const appId = textOf(properties.appId);
    const key = JSON.stringify([exchange, routingKey, appId, isRepeated]);
    const known = this.#known.get(key);
    if (known !== undefined) return known;
    const entries: readonly (readonly [string, string])[] = [
      ['messaging.system', 'rabbitmq'],
      ['messaging.destination.subscription.name', this.#queue],
      ['messaging.destination.name', exchange],
      ['messaging.rabbitmq.destination.routing_key', routingKey.slice(0, MAX_VALUE_CHARACTERS)],
      ['service.name', appId],
      [REPEATED, isRepeated ? 'true' : ''],
    ];
    const made = new Map(entries.filter(([, value]) => value !== ''));
    if (this.#known.size >= MAX_REMEMBERED) this.#known.clear();
    this.#known.set(key, made);
    return made;
  }
}

function textOf(value: unknown): string {
  return typeof value === 'string' ? value.slice(0, MAX_VALUE_CHARACTERS) : '';
}
