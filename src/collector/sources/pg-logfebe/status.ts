import type { SourceStatus } from '../../source.ts';
import type { StreamStatus } from '../../stream-status.ts';
import { originText } from './tenant-origin.ts';

/** The status of the streams of the journal, with readable names of their tenants. */
export function pgLogfebeStatus(streams: readonly StreamStatus[]): SourceStatus {
  return { streams: streams.map((stream) => ({ ...stream, origin: originText(stream.origin) })) };
}
