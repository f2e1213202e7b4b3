import type { Loss } from '../../journal/loss.ts';

/** The record that reports messages that were dropped because there was no room for them. */
export function lossRecord({ records, bytes, fromUnixMs, toUnixMs }: Loss): Buffer {
  const from = new Date(fromUnixMs).toISOString();
  return reportRecord(
    toUnixMs,
    `mega-collector lost ${messages(records)} of ${bytes} bytes from ${from}: there was no room for them`,
  );
}

/**
 * The record that reports UDP messages that were dropped before they reached the journal: by the kernel, or by the thread
 * of the socket.
 */
export function dropRecord(cause: 'kernel' | 'thread', dropped: number, nowUnixMs: number): Buffer {
  const text =
    cause === 'kernel'
      ? `the kernel dropped ${messages(dropped)}: the receive buffer was full`
      : `mega-collector dropped ${messages(dropped)}: the process could not keep up`;
  return reportRecord(nowUnixMs, text);
}

/** RFC 5424, facility syslog, severity warning: each format of this source can read it. */
function reportRecord(unixMs: number, text: string): Buffer {
  return Buffer.from(`<44>1 ${new Date(unixMs).toISOString()} - mega-collector - loss - ${text}\n`);
}

function messages(count: number): string {
  return `${count} ${count === 1 ? 'message' : 'messages'}`;
}
