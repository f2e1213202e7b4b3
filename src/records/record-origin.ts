import type { LogRecord } from './log-record.ts';

/**
 * The host of a record: its own `host.name`, otherwise the one of its resource. A relayed record brings the
 * name of the host that wrote it, and the resource has the name of the host that collected it.
 */
export function hostOf(record: Origin): string | undefined {
  return ownText(record, HOST_NAME) ?? record.resource.get(HOST_NAME);
}

/** The service of a record: its own `service.name`, otherwise the one of its resource. */
export function serviceOf(record: Origin): string | undefined {
  return ownText(record, SERVICE_NAME) ?? record.resource.get(SERVICE_NAME);
}

type Origin = Pick<LogRecord, 'attributes' | 'resource'>;

export const HOST_NAME = 'host.name';
export const SERVICE_NAME = 'service.name';

/** The text of an own attribute; undefined for an empty one and for a value that is not a text. */
export function ownText({ attributes }: Pick<Origin, 'attributes'>, name: string): string | undefined {
  const value = attributes.get(name);
  return typeof value === 'string' && value !== '' ? value : undefined;
}
