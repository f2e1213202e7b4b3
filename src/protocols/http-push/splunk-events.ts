import { jsonValues } from './json-values.ts';
import { PushFault } from './push-fault.ts';

/** The events of a request, until the first one that is not valid. */
export interface SplunkEvents {
  /** The bytes of the JSON object of each event, as received. */
  readonly events: readonly Buffer[];
  readonly fault: SplunkFault | undefined;
}

/** A code of the HTTP Event Collector; `eventNumber`: of the event, from 0. */
export interface SplunkFault {
  readonly code: 5 | 6 | 12 | 13 | 15;
  readonly eventNumber?: number;
}

/** Reads JSON objects that follow each other, also in a list. */
export function readSplunkEvents(body: Buffer): SplunkEvents {
  const values = valuesIn(body);
  if (values === undefined) return { events: [], fault: { code: 6, eventNumber: 0 } };
  if (values.length === 0) return { events: [], fault: { code: 5 } };
  for (const [eventNumber, value] of values.entries()) {
    const code = faultOf(value);
    if (code !== undefined) return { events: values.slice(0, eventNumber), fault: { code, eventNumber } };
  }
  return { events: values, fault: undefined };
}

/** undefined: the body is not JSON. */
function valuesIn(body: Buffer): readonly Buffer[] | undefined {
  try {
    return jsonValues(body);
  } catch (error) {
    if (error instanceof PushFault) return undefined;
    throw error;
  }
}

function faultOf(value: Buffer): SplunkFault['code'] | undefined {
  let event: unknown;
  try {
    event = JSON.parse(value.toString());
  } catch {
    return 6;
  }
  if (!isObject(event)) return 6;
  if (event.event === undefined || event.event === null) return 12;
  if (event.event === '') return 13;
  const { fields } = event;
  return fields === undefined || fields === null || isObject(fields) ? undefined : 15;
}

function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
