import { inUtf8 } from '../formats/encodings/batch-encoding.ts';
import { forEachLogRecord } from '../formats/record-view.ts';
import { formatNamed } from '../formats/registry.ts';
import type { WrittenMessage } from '../protocols/syslog/syslog-message.ts';
import { type MessageSettings, writeRaw, writeRecord } from '../protocols/syslog/write-record.ts';
import { changedInOrder } from '../records/changed-records.ts';
import { forEachRecord, type RecordBatch } from '../records/record-batch.ts';

/**
 * The records of a slice as syslog messages without frames, in order. `raw` does not parse records that are
 * text: their bytes are sent without their line ending, in UTF-8, because a receiver finds the end of a message in its
 * bytes.
 */
export function writeSlice(slice: RecordBatch, settings: MessageSettings): readonly WrittenMessage[] {
  const messages: WrittenMessage[] = [];
  if (settings.format === 'raw' && formatNamed(slice.format).lines) {
    const changedAt = changedInOrder(slice);
    forEachRecord(inUtf8(slice), (bytes, index) => {
      const changed = changedAt(index);
      const sent = changed?.hasOwnBody ? Buffer.from(changed.record.body) : bytes;
      messages.push(writeRaw(sent, settings.maxBytes));
    });
  } else {
    forEachLogRecord(slice, (record) => void messages.push(writeRecord(record, settings)));
  }
  return messages;
}
