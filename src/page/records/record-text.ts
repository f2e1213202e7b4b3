import type { LogEntry } from './log-entry.ts';

/** For the clipboard: all fields, as the API returns them. */
export function entryAsJson(entry: LogEntry): string {
  return JSON.stringify(entry, undefined, 2);
}

/** For the clipboard: one line as `monitor logs` prints it. */
export function entryAsText({ time, severity, host, service, body }: LogEntry): string {
  return [time, severity?.toUpperCase(), host, service, body]
    .filter((part) => part !== null && part !== undefined)
    .join(' ');
}
