import type { LogRecord } from '../records/log-record.ts';
import type { Resource } from '../records/resource.ts';

/** Thrown by a probe. It is no Error: a stack costs more than the run of a filter. */
export const NEEDS_RECORD = Symbol('needs a record');

/**
 * A record that has only a resource. A filter that reads nothing else treats all records with this resource alike;
 * another one ends with NEEDS_RECORD.
 */
export class ResourceProbe implements LogRecord {
  resource: Resource = new Map();

  get timeUnixNano(): never {
    throw NEEDS_RECORD;
  }

  get severityNumber(): never {
    throw NEEDS_RECORD;
  }

  get severityText(): never {
    throw NEEDS_RECORD;
  }

  get body(): never {
    throw NEEDS_RECORD;
  }

  get attributes(): never {
    throw NEEDS_RECORD;
  }

  get observedTimeUnixNano(): never {
    throw NEEDS_RECORD;
  }

  get format(): never {
    throw NEEDS_RECORD;
  }

  get stream(): never {
    throw NEEDS_RECORD;
  }

  get position(): never {
    throw NEEDS_RECORD;
  }
}
