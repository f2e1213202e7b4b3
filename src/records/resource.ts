/**
 * Attributes that all records of a batch share, under OpenTelemetry's names: `host.name`, `service.name`,
 * `log.file.path`, ... A map, so that no key a peer may send (`__proto__`) means anything to the language.
 */
export type Resource = ReadonlyMap<string, string>;

export const EMPTY_RESOURCE: Resource = new Map();
