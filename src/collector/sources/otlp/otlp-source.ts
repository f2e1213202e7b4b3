import type { Logger } from 'pino';
import type { Registry } from 'prom-client';
import type { Resource } from '../../../records/resource.ts';
import type { Clock } from '../../../runtime/clock.ts';
import type { Journal } from '../../journal/journal.ts';
import { LARGEST_REQUEST_BYTES } from '../requests/listener-shape.ts';
import { type NamedListener, RequestSource } from '../requests/request-source.ts';
import { OTLP_SOURCE_EVENTS, type OtlpSourceEvents } from './events.ts';
import { GrpcListener } from './grpc-listener.ts';
import { HttpListener } from './http-listener.ts';
import { isGrpc, otlpAddressText } from './listen-address.ts';
import type { OtlpListenerConfiguration } from './listener-configuration.ts';
import { RecordIntake } from './record-intake.ts';

export interface OtlpSourceOptions {
  readonly listeners: readonly OtlpListenerConfiguration[];
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
 * Receives logs of OpenTelemetry over gRPC and HTTP. A record is the bytes of one `LogRecord`; its resource and scope are
 * in the peer column of the batch.
 */
export class OtlpSource extends RequestSource {
  constructor(options: OtlpSourceOptions) {
    const { logger, metrics, clock, journal, listeners } = options;
    const events = OTLP_SOURCE_EVENTS.open({ logger, metrics, clock });
    super({
      ...{ name: 'otlp', purpose: 'logs of OpenTelemetry', journal, events, clock },
      createListeners: () => listeners.map((configuration) => listenerOf(configuration, options, events)),
    });
  }
}

function listenerOf(
  configuration: OtlpListenerConfiguration,
  { journal, resource, clock, journalMaxBytes }: OtlpSourceOptions,
  events: OtlpSourceEvents,
): NamedListener {
  const name = otlpAddressText(configuration.listen);
  const intake = new RecordIntake({
    journal,
    origin: name,
    label: { format: 'otlp', resource: new Map([...resource, ...configuration.resource]) },
    maxBytes: Math.min(LARGEST_REQUEST_BYTES, journalMaxBytes / 4),
  });
  const options = { configuration, listener: name, intake, events, clock };
  const listener = isGrpc(configuration.listen) ? new GrpcListener(options) : new HttpListener(options);
  return { name, intake, listener };
}
