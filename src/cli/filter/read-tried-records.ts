import type { FormatDescription } from '../../formats/described/format-description.ts';
import { forEachLogRecord } from '../../formats/record-view.ts';
import type { LogRecord } from '../../records/log-record.ts';
import { CommandError } from '../command-error.ts';
import { fileErrorText } from '../output/file-error-text.ts';
import { readRecords } from '../search/read-records.ts';

/** The first records of a file, as an emitter gets them. Throws CommandError. */
export async function readTriedRecords(
  path: string,
  { format, count }: { readonly format: FormatDescription | undefined; readonly count: number },
  signal: AbortSignal,
): Promise<readonly LogRecord[]> {
  const records: LogRecord[] = [];
  try {
    for await (const batch of readRecords(path, { format }, signal)) {
      forEachLogRecord(batch, (record) => {
        if (records.length < count) records.push(record);
      });
      if (records.length >= count) break;
    }
  } catch (error) {
    throw new CommandError(`Cannot read ${path}: ${fileErrorText(error)}`);
  }
  return records;
}
