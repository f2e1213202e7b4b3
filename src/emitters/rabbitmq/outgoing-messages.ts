import { batchEncoding } from '../../formats/encodings/batch-encoding.ts';
import { lineEndBytes } from '../../formats/encodings/line-end-bytes.ts';
import { forEachLogRecord } from '../../formats/record-view.ts';
import { formatNamed } from '../../formats/registry.ts';
import { changedInOrder } from '../../records/changed-records.ts';
import type { Range } from '../../records/position.ts';
import { endOf, forEachRecord, type RecordBatch, sliceRecords } from '../../records/record-batch.ts';
import type { BrokerMessage } from '../../transport/rabbitmq/confirmed-publisher.ts';
import { jsonRecord } from '../json-record.ts';
import type { RabbitmqConfiguration } from './configuration.ts';
import { encodeRecordBatchMessage, messageSlices } from './record-batch-message.ts';
import { keyOfRecord, keyOfSlice, type RoutingKey } from './routing-key.ts';

/** The `type` and the media type of a message with a record batch. */
export const RECORD_BATCH_TYPE = 'megacollector.record-batch';
export const RECORD_BATCH_CONTENT_TYPE = 'application/vnd.megacollector.record-batch';

/** Records converted at a time. */
const CHUNK_RECORDS = 64;

/** A message, and the bytes of the stream that it contains. */
export interface OutgoingMessage extends Range {
  readonly message: BrokerMessage;
}

export type MessageSettings = Pick<
  RabbitmqConfiguration,
  'body' | 'compression' | 'exchange' | 'mandatory'
> & {
  readonly routingKey: RoutingKey;
};

/** The messages of a slice, in order, a few at a time. */
export function* outgoingMessages(
  slice: RecordBatch,
  settings: MessageSettings,
): Generator<readonly OutgoingMessage[]> {
  if (settings.body === 'record-batch') {
    for (const part of messageSlices(slice)) yield [batchMessage(part, settings)];
    return;
  }
  for (let from = 0; from < slice.sizes.length; from += CHUNK_RECORDS) {
    const chunk = sliceRecords(slice, from, Math.min(from + CHUNK_RECORDS, slice.sizes.length));
    yield settings.body === 'json' ? jsonMessages(chunk, settings) : rawMessages(chunk, settings);
  }
}

function batchMessage(batch: RecordBatch, settings: MessageSettings): OutgoingMessage {
  const content = encodeRecordBatchMessage(batch, settings.compression);
  const properties = { type: RECORD_BATCH_TYPE, contentType: RECORD_BATCH_CONTENT_TYPE };
  const message = messageOf(settings, batch, { content, routingKey: keyOfSlice(settings.routingKey, batch) });
  return {
    start: batch.start,
    end: endOf(batch),
    message: { ...message, properties: { ...message.properties, ...properties } },
  };
}

function jsonMessages(chunk: RecordBatch, settings: MessageSettings): readonly OutgoingMessage[] {
  const messages: OutgoingMessage[] = [];
  forEachLogRecord(chunk, (record, index) => {
    const content = Buffer.from(jsonRecord(record));
    const routingKey = keyOfRecord(settings.routingKey, record);
    const message = messageOf(settings, record, { content, routingKey });
    const properties = { ...message.properties, contentType: 'application/json' };
    const end = record.position + (chunk.sizes[index] ?? 0);
    messages.push({ start: record.position, end, message: { ...message, properties } });
  });
  return messages;
}

/**
 * Records that are text are not parsed, unless the routing key needs their attributes. They are sent as received, in
 * their own encoding.
 */
function rawMessages(chunk: RecordBatch, settings: MessageSettings): readonly OutgoingMessage[] {
  const { routingKey: template } = settings;
  const keys: string[] = [];
  const bodies: string[] = [];
  const isText = formatNamed(chunk.format).lines;
  if (!isText || template.parts.length > 1) {
    forEachLogRecord(chunk, (record) => {
      keys.push(keyOfRecord(template, record));
      if (!isText) bodies.push(record.body);
    });
  }
  const messages: OutgoingMessage[] = [];
  const changedAt = changedInOrder(chunk);
  const encoding = batchEncoding(chunk)?.name;
  forEachRecord(chunk, (bytes, index, position) => {
    const changed = changedAt(index);
    const body = changed?.hasOwnBody ? changed.record.body : bodies[index];
    const content = body === undefined ? withoutLineEnd(bytes, encoding) : Buffer.from(body);
    const place = { stream: chunk.stream, position };
    const message = messageOf(settings, place, { content, routingKey: keys[index] ?? template.text });
    messages.push({ start: position, end: position + bytes.length, message });
  });
  return messages;
}

interface Place {
  readonly stream: string;
  readonly position?: number;
  readonly start?: number;
}

function messageOf(
  { exchange, mandatory }: MessageSettings,
  { stream, position, start }: Place,
  { content, routingKey }: Pick<BrokerMessage, 'content' | 'routingKey'>,
): BrokerMessage {
  return {
    exchange,
    routingKey,
    content,
    properties: {
      persistent: true,
      mandatory,
      messageId: `${stream}/${position ?? start ?? 0}`,
      appId: 'mega-collector',
    },
  };
}

/** A copy: the client keeps a message until it is written, and the bytes of the batch are reused. */
function withoutLineEnd(bytes: Uint8Array, encoding: string | undefined): Buffer {
  return Buffer.from(bytes.subarray(0, bytes.length - lineEndBytes(bytes, encoding)));
}
