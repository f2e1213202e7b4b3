import { z } from 'zod';
import { possibleTime } from '../formats/record-columns.ts';
import { formatRfc3339 } from '../formats/rfc3339.ts';
import type { LogRecord } from '../records/log-record.ts';
import { hostOf, serviceOf } from '../records/record-origin.ts';

/** A record that passed a point, as JSON: the same fields as an entry of a store. */
export const tappedRecord = z.object({
  time: z.string(),
  observedTime: z.string(),
  severity: z.enum(['trace', 'debug', 'info', 'warn', 'error', 'fatal']).nullable(),
  severityNumber: z.int().nullable(),
  severityText: z.string().nullable(),
  host: z.string().nullable(),
  service: z.string().nullable(),
  source: z.string().nullable(),
  format: z.string(),
  body: z.string(),
  attributes: z.record(z.string(), z.json()),
  stream: z.string(),
  position: z.int(),
  raw: z.base64().optional().meta({ description: 'On request: its bytes, as they were received.' }),
});
export type TappedRecord = z.infer<typeof tappedRecord>;

/** The same as JSON text, which is written for each record. */
export function tappedRecordText(record: LogRecord, raw: Uint8Array | undefined): string {
  const { timeUnixNano, observedTimeUnixNano, severityNumber, severityText, resource } = record;
  const hasTime = timeUnixNano !== undefined && possibleTime(timeUnixNano) !== undefined;
  return JSON.stringify({
    time: formatRfc3339(hasTime ? timeUnixNano : observedTimeUnixNano),
    observedTime: formatRfc3339(observedTimeUnixNano),
    severity: severityName(severityNumber),
    severityNumber: severityNumber || null,
    severityText: severityText ?? null,
    host: hostOf(record) ?? null,
    service: serviceOf(record) ?? null,
    source: resource.get('log.file.path') ?? null,
    format: record.format,
    body: record.body,
    attributes: { ...Object.fromEntries(resource), ...Object.fromEntries(record.attributes) },
    stream: record.stream,
    position: record.position,
    ...(raw !== undefined && { raw: Buffer.from(raw).toString('base64') }),
  });
}

const SEVERITIES = ['trace', 'debug', 'info', 'warn', 'error', 'fatal'] as const;

/** Each name covers four numbers. */
function severityName(severityNumber: number | undefined): TappedRecord['severity'] {
  return severityNumber ? (SEVERITIES[Math.floor((severityNumber - 1) / 4)] ?? null) : null;
}
