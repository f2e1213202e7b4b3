import type { Logger } from 'pino';
import type { Registry } from 'prom-client';
import type { Resource } from '../../../records/resource.ts';
import type { Clock } from '../../../runtime/clock.ts';
import type { Journal } from '../../journal/journal.ts';
import { LARGEST_REQUEST_BYTES } from '../requests/listener-shape.ts';
import { type NamedListener, RequestSource } from '../requests/request-source.ts';
import { HTTP_SOURCE_EVENTS, type HttpSourceEvents } from './events.ts';
import { httpAddressText } from './listen-address.ts';
import type { HttpListenerConfiguration } from './listener-configuration.ts';
import { PushIntake } from './push-intake.ts';
import { PushListener } from './push-listener.ts';

export interface HttpSourceOptions {
  readonly listeners: readonly HttpListenerConfiguration[];
  readonly journalMaxBytes: number;
  /** Attributes of each record of this collector. */
  readonly resource: Resource;
  /** Used by this source only: opened before the start, stopped by `close`. */
  readonly journal: Journal;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly metrics: Registry;
}

/**
 * Receives records that clients push over HTTP: lines and JSON, and the APIs of Loki, Elasticsearch and Splunk. A record is
 * the bytes of a line, a document or an event; what the request has besides is in the peer column of the batch.
 */
export class HttpSource extends RequestSource {
  constructor(options: HttpSourceOptions) {
    const { logger, metrics, clock, journal, listeners } = options;
    const events = HTTP_SOURCE_EVENTS.open({ logger, metrics, clock });
    super({
      ...{ name: 'http', purpose: 'records over HTTP', journal, events, clock },
      createListeners: () => listeners.map((configuration) => listenerOf(configuration, options, events)),
    });
  }
}

function listenerOf(
  configuration: HttpListenerConfiguration,
  { journal, resource, clock, journalMaxBytes }: HttpSourceOptions,
  events: HttpSourceEvents,
): NamedListener {
  const name = httpAddressText(configuration.listen);
  const intake = new PushIntake({
    ...{ journal, origin: name, events, format: configuration.format },
    resource: new Map([...resource, ...configuration.resource]),
    maxBytes: Math.min(LARGEST_REQUEST_BYTES, journalMaxBytes / 4),
  });
  return {
    name,
    intake,
    listener: new PushListener({ configuration, listener: name, intake, events, clock }),
  };
}
