import { createReadStream } from 'node:fs';
import { createInterface } from 'node:readline';
import { type FilteredRecord, type FilteredRecords, FilteredRecordsCounter } from './filter-log.ts';

/** Compares the JSON lines of an output with the expected records: undefined if they are the same, in order. */
export async function compareFiltered(
  outputPath: string,
  expected: FilteredRecords,
  read: (line: unknown) => FilteredRecord,
): Promise<string | undefined> {
  const counter = new FilteredRecordsCounter();
  for await (const line of createInterface({ input: createReadStream(outputPath) }))
    counter.add(read(JSON.parse(line)));
  const { records, marked, digest } = counter.result();
  if (records !== expected.records) return `${records} records instead of ${expected.records}`;
  if (marked !== expected.marked) return `${marked} marked records instead of ${expected.marked}`;
  return digest === expected.digest ? undefined : 'records are changed or in another order';
}
