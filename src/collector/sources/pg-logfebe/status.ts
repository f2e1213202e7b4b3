import type { SourceStatus } from '../../source.ts';
import type { StreamStatus } from '../../stream-status.ts';
import { originText } from './tenant-origin.ts';

/** Where the streams of the source's journal stand, with their tenants as people know them. */
export function pgLogfebeStatus(streams: readonly StreamStatus[]): SourceStatus {
  return { streams: streams.map((stream) => ({ ...stream, origin: originText(stream.origin) })) };
}
