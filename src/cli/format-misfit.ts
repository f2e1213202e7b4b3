import { open } from 'node:fs/promises';
import { AUTOMATIC_FORMAT, type TailEntry } from '../collector/sources/tail/files/tail-configuration.ts';
import { countFitting, guessFormatOf, SAMPLE_BYTES } from '../formats/guess-format.ts';
import { ENCODING } from '../formats/marker-attributes.ts';
import { encodingOf } from './search/encoding-of.ts';
import { sampleRecords } from './search/guess-format.ts';

/**
 * A warning if most of the first lines of a file are not in the format of its entry; it names the format that
 * fits. undefined: the format fits, or the file has no lines yet.
 */
export async function formatMisfit(path: string, entry: TailEntry): Promise<string | undefined> {
  const { format, resource } = entry;
  if (format === 'plain' || format === AUTOMATIC_FORMAT) return undefined;
  const bytes = await firstBytes(path);
  const records = sampleRecords(bytes, encodingOf(bytes, resource.get(ENCODING)));
  const context = { resource, observedTimeUnixNano: 0n };
  if (records.length === 0 || countFitting(format, records, context) * 2 > records.length) return undefined;
  const fitting = guessFormatOf(records);
  const remedy =
    fitting === undefined || fitting === format
      ? 'Describe the format with --format, or use --format plain'
      : `They fit "${fitting}": use --format ${fitting}`;
  return `Most of the first lines do not have the format "${format}". ${remedy}`;
}

async function firstBytes(path: string): Promise<Buffer> {
  const file = await open(path);
  try {
    const { buffer, bytesRead } = await file.read(Buffer.alloc(SAMPLE_BYTES), 0, SAMPLE_BYTES, 0);
    return buffer.subarray(0, bytesRead);
  } finally {
    await file.close();
  }
}
