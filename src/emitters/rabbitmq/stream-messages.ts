import { encodeAmqpMessage } from '../../protocols/rabbitmq-stream/amqp-message.ts';
import { type NumberedMessage, publishFrameBytes } from '../../protocols/rabbitmq-stream/publish-frame.ts';
import type { Range } from '../../records/position.ts';
import type { QueuePlace } from '../../records/queue-place.ts';
import { type RecordBatch, sliceBytes, sliceRecords } from '../../records/record-batch.ts';
import { type MessageSettings, type OutgoingMessage, outgoingMessages } from './outgoing-messages.ts';
import { publishingIdOf } from './publishing-id.ts';

/** Messages to publish together; or a record that no frame of the broker can contain. */
export type StreamPart =
  | { readonly kind: 'messages'; readonly messages: readonly NumberedMessage[] }
  | { readonly kind: 'too-large'; readonly record: Range; readonly bytes: number };

export interface StreamMessagePlan {
  readonly settings: MessageSettings;
  readonly place: QueuePlace;
  /** The largest frame of the broker. */
  readonly frameBytes: number;
}

/** The messages of a slice with their numbers, in order, a few at a time. */
export function* streamMessages(slice: RecordBatch, plan: StreamMessagePlan): Generator<StreamPart> {
  for (const group of outgoingMessages(slice, plan.settings)) {
    let messages: NumberedMessage[] = [];
    for (const outgoing of group) {
      const content = encoded(outgoing);
      if (publishFrameBytes([content.length]) <= plan.frameBytes) {
        messages.push({ publishingId: publishingIdOf(plan.place, outgoing.end), content });
        continue;
      }
      yield { kind: 'messages', messages };
      messages = [];
      yield* smaller(slice, outgoing, { ...plan, bytes: content.length });
    }
    yield { kind: 'messages', messages };
  }
}

/** Halves the records of a message. */
function* smaller(
  slice: RecordBatch,
  { start, end }: OutgoingMessage,
  plan: StreamMessagePlan & { readonly bytes: number },
): Generator<StreamPart> {
  const records = sliceBytes(slice, start, end);
  const count = records.sizes.length;
  if (count === 1) return yield { kind: 'too-large', record: { start, end }, bytes: plan.bytes };
  const middle = count >> 1;
  yield* streamMessages(sliceRecords(records, 0, middle), plan);
  yield* streamMessages(sliceRecords(records, middle, count), plan);
}

function encoded({ message }: OutgoingMessage): Buffer {
  const { messageId, contentType, type, appId } = message.properties;
  return encodeAmqpMessage(message.content, { messageId, contentType, type, appId });
}
