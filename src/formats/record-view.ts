import { changedInOrder } from '../records/changed-records.ts';
import type { Attributes, LogRecord, ParsedRecord } from '../records/log-record.ts';
import { peerOf } from '../records/peer-column.ts';
import type { Position } from '../records/position.ts';
import { forEachRecord, offsetOfRecord, type RecordBatch, type RecordMark } from '../records/record-batch.ts';
import type { RecordContext } from '../records/record-context.ts';
import { EMPTY_RESOURCE, type Resource } from '../records/resource.ts';
import { withPeer } from './connection-attributes.ts';
import { batchEncoding, parseEncoded } from './encodings/batch-encoding.ts';
import { INTERNAL_ATTRIBUTES, OBSERVED_TIME, RECORD_MARK, TIME_SOURCE } from './marker-attributes.ts';
import { formatNamed } from './registry.ts';

/** Returns the complete record `index` of a batch. To read all records, `forEachLogRecord` is faster. */
export function recordView(batch: RecordBatch, index: number): LogRecord {
  const changed = batch.changed?.find((each) => each.index === index);
  if (changed !== undefined) return changed.record;
  const start = offsetOfRecord(batch, index);
  const end = offsetOfRecord(batch, index + 1, index, start);
  const context = recordContext(batch, index);
  const format = formatNamed(batch.format);
  const encoding = batchEncoding(batch);
  const bytes = batch.data.subarray(start, end);
  const position = batch.start + start;
  const parsed =
    encoding === undefined
      ? format.parse(bytes, context)
      : parseEncoded(encoding, format, { bytes, position, context });
  const mark = batch.marks.find((marked) => marked.index === index)?.mark;
  return logRecord(batch, { position, parsed, mark, peer: context.peer });
}

/** Calls `visit` with each record of a batch, in full, in order. */
export function forEachLogRecord(
  batch: RecordBatch,
  visit: (record: LogRecord, index: number) => void,
): void {
  const format = formatNamed(batch.format);
  const encoding = batchEncoding(batch);
  const contextOf = recordContexts(batch);
  const changedAt = changedInOrder(batch);
  let nextMark = 0;
  forEachRecord(batch, (bytes, index, position) => {
    const changed = changedAt(index);
    if (changed !== undefined) {
      visit(changed.record, index);
      return;
    }
    while ((batch.marks[nextMark]?.index ?? index) < index) nextMark++;
    const marked = batch.marks[nextMark];
    if (marked?.index === index) nextMark++;
    const mark = marked?.index === index ? marked.mark : undefined;
    const context = contextOf(index);
    const parsed =
      encoding === undefined
        ? format.parse(bytes, context)
        : parseEncoded(encoding, format, { bytes, position, context });
    visit(logRecord(batch, { position, parsed, mark, peer: context.peer }), index);
  });
}

interface Parsed {
  readonly position: Position;
  readonly parsed: ParsedRecord;
  readonly mark: RecordMark | undefined;
  readonly peer: Resource | undefined;
}

/** The facts about a record that are not in its bytes. */
export function recordContext(batch: RecordBatch, index: number): RecordContext {
  const peer = peerOf(batch, index);
  return peer === undefined ? batchContext(batch) : { ...batchContext(batch), peer };
}

/** Returns `recordContext` of a record; the same object for all records of a peer. */
export function recordContexts(batch: RecordBatch): (index: number) => RecordContext {
  const none = batchContext(batch);
  const { recordPeers } = batch;
  if (recordPeers === undefined) return () => none;
  const contexts = [none, ...(batch.peers ?? []).map((peer) => ({ ...none, peer }))];
  return (index) => contexts[recordPeers[index] ?? 0] ?? none;
}

function batchContext({ resource, observedTimeUnixNano }: RecordBatch): RecordContext {
  return { resource, observedTimeUnixNano };
}

/** Field by field: spreading the parsed object into a new one takes longer than parsing it. */
function logRecord(batch: RecordBatch, { position, parsed, mark, peer }: Parsed): LogRecord {
  const isTimedByObservation = batch.resource.get(TIME_SOURCE) === OBSERVED_TIME;
  return {
    timeUnixNano: isTimedByObservation ? batch.observedTimeUnixNano : parsed.timeUnixNano,
    severityNumber: parsed.severityNumber,
    severityText: parsed.severityText,
    body: parsed.body,
    attributes: attributesOf(parsed, mark, peer),
    observedTimeUnixNano: batch.observedTimeUnixNano,
    resource: shownResource(batch.resource),
    format: batch.format,
    stream: batch.stream,
    position,
  };
}

/**
 * The resource without the attributes that only formats read. Nearly all resources have none of them, and are
 * returned as they are.
 */
export function shownResource(resource: Resource): Resource {
  if (shown.resource !== resource) shown = { resource, rest: withoutInternal(resource) };
  return shown.rest;
}

/** Consecutive records often have the same peer. */
function shownPeer(peer: Resource): Resource {
  if (lastPeer.resource !== peer) lastPeer = { resource: peer, rest: withoutInternal(peer) };
  return lastPeer.rest;
}

function withoutInternal(resource: Resource): Resource {
  if (!INTERNAL_ATTRIBUTES.some((name) => resource.has(name))) return resource;
  const rest = new Map(resource);
  for (const name of INTERNAL_ATTRIBUTES) rest.delete(name);
  return rest;
}

/** The last resource: all records of a batch have the same. */
let shown: { readonly resource: Resource; readonly rest: Resource } = {
  resource: EMPTY_RESOURCE,
  rest: EMPTY_RESOURCE,
};

let lastPeer = shown;

/** The attributes of the record and of its peer, without those that only formats read. */
function attributesOf(
  { attributes }: ParsedRecord,
  mark: RecordMark | undefined,
  peer: Resource | undefined,
): Attributes {
  if (mark === undefined && peer === undefined) return attributes;
  const merged = peer === undefined ? new Map(attributes) : withPeer(attributes, shownPeer(peer));
  return mark === undefined ? merged : merged.set(RECORD_MARK, mark);
}
