import { readFileSync } from 'node:fs';
import type { LogFieldName } from '../../src/protocols/febe/log-fields.ts';

/** The fields as an independent decoder read them: 64-bit integers as strings, null for absent ones. */
export type CapturedRecord = Readonly<Record<LogFieldName, string | number | null>>;

export interface CapturedConnection {
  readonly version: string;
  readonly identity: string;
  readonly records: readonly CapturedRecord[];
}

const directory = new URL('../fixtures/pg_logfebe/', import.meta.url);

/** The bytes that ten processes of a real PostgreSQL sent, one after another (see the fixture's README). */
export function febeCapture(): { bytes: Buffer; connections: CapturedConnection[]; chunks: Buffer[] } {
  const bytes = readFileSync(new URL('capture.bin', directory));
  const connections = JSON.parse(
    readFileSync(new URL('capture.expected.json', directory), 'utf8'),
  ) as CapturedConnection[];
  return { bytes, connections, chunks: splitAtVersions(bytes) };
}

/** The capture, split at the beginning of each connection. */
function splitAtVersions(bytes: Buffer): Buffer[] {
  const starts: number[] = [];
  let offset = 0;
  while (offset < bytes.length) {
    if (bytes[offset] === 0x56) starts.push(offset);
    offset += 1 + bytes.readUInt32BE(offset + 1);
  }
  return starts.map((start, index) => bytes.subarray(start, starts[index + 1] ?? bytes.length));
}
