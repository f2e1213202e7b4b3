import { type EntryParts, LokiEntries, type LokiEntry, latin1 } from './loki-entry.ts';
import { PushFault } from './push-fault.ts';
import { PUSH_LIMITS } from './push-limits.ts';

/** Reads a push request of Loki in JSON. Throws a PushFault. */
export function lokiEntriesOfJson(body: Buffer): readonly LokiEntry[] {
  const entries = new LokiEntries();
  for (const stream of list(parsed(body), 'streams')) {
    const labels = textsOf(field(stream, 'stream') ?? {}, 'stream');
    for (const value of list(stream, 'values')) entries.add(partsOf(value), labels);
  }
  return entries.all;
}

function partsOf(value: unknown): EntryParts {
  const [time, line, metadata] = Array.isArray(value) ? (value as readonly unknown[]) : [];
  if (typeof time !== 'string' || !/^-?\d{1,19}$/.test(time) || typeof line !== 'string')
    throw new PushFault('A value must be a list of a time in nanoseconds as text, and a line.');
  const own = metadata === undefined ? undefined : latin1(textsOf(metadata, 'structured metadata'));
  return { time, line: latin1(line), metadata: own };
}

function parsed(body: Buffer): unknown {
  try {
    return JSON.parse(body.toString());
  } catch {
    throw new PushFault('The body is not JSON.');
  }
}

function field(value: unknown, name: string): unknown {
  return typeof value === 'object' && value !== null ? (value as Record<string, unknown>)[name] : undefined;
}

function list(value: unknown, name: string): readonly unknown[] {
  const found = field(value, name);
  if (!Array.isArray(found)) throw new PushFault(`${name} must be a list.`);
  return found;
}

/** A JSON object whose values are texts. */
function textsOf(value: unknown, what: string): string {
  const isObject = typeof value === 'object' && value !== null && !Array.isArray(value);
  if (!isObject || !Object.values(value).every((each) => typeof each === 'string'))
    throw new PushFault(`${what} must be an object of texts.`);
  const text = JSON.stringify(value);
  if (text.length > PUSH_LIMITS.labelsBytes) throw new PushFault(`${what} must be at most 64 KiB.`);
  return text;
}
