/**
 * Attributes of all records of a batch, with OpenTelemetry's names: `host.name`, `service.name`,
 * `log.file.path`, ... It is a map, so that no key of a peer (`__proto__`) has a meaning in JavaScript.
 */
export type Resource = ReadonlyMap<string, string>;

export const EMPTY_RESOURCE: Resource = new Map();
