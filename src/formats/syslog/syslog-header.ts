import type { ByteCursor } from '../byte-cursor.ts';
import { readTimestamp } from '../time/timestamp.ts';
import type { WallTime } from '../time/wall-time.ts';
import type { StructuredData } from './structured-data.ts';

/** The parts of a message before its text, as far as the message has them. */
export class SyslogHeader {
  /** NaN: none. */
  priority = Number.NaN;
  time: WallTime | undefined;
  /** Where the text of the time begins and ends. */
  timeStart = 0;
  timeEnd = 0;
  host: string | undefined;
  app: string | undefined;
  processId: string | undefined;
  messageId: string | undefined;
  structuredData: StructuredData | undefined;
  /** The severity in a Cisco message, for records without a priority. */
  severity: number | undefined;
  /** The number that Cisco devices give to each message. */
  sequence: number | undefined;
  /** The part of the header that could not be read. */
  problem: string | undefined;

  /** Reads the time at the current place; false: there is none. */
  readTime(cursor: ByteCursor): boolean {
    const start = cursor.at;
    this.time = readTimestamp(cursor);
    this.timeStart = start;
    this.timeEnd = cursor.at;
    return this.time !== undefined;
  }
}
