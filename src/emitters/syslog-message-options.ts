import { hostname } from 'node:os';
import { z } from 'zod';
import { facilityCodeOf, severityCodeOf } from '../protocols/syslog/codes.ts';
import { isTimeZone } from '../protocols/syslog/message-time.ts';
import { MIN_MESSAGE_BYTES } from '../protocols/syslog/syslog-message.ts';
import type { MessageSettings } from '../protocols/syslog/write-record.ts';
import type { ConfigurationProblem } from '../runtime/configuration/configuration-error.ts';
import { byteSizeOption } from './option-schemas.ts';

/** The largest message that the source `syslog` accepts, as configured by default. */
const DEFAULT_MESSAGE_BYTES = 256 * 1024;
const MAX_MESSAGE_BYTES = 8 * 1024 * 1024;

const facility = z.union([z.number(), z.string()]).transform((given, context) => {
  const code = facilityCodeOf(given);
  if (code !== undefined) return code;
  context.addIssue({ code: 'custom', message: 'expected 0 to 23, or a name such as "local0"' });
  return z.NEVER;
});

const severity = z.union([z.number(), z.string()]).transform((given, context) => {
  const code = severityCodeOf(given);
  if (code !== undefined) return code;
  context.addIssue({ code: 'custom', message: 'expected 0 to 7, or a name such as "info"' });
  return z.NEVER;
});

const messageBytes = byteSizeOption(MIN_MESSAGE_BYTES, MAX_MESSAGE_BYTES, '8KiB');

const name = z.string().min(1);

/** The keys of an emitter that sends syslog messages. */
export const syslogMessageShape = {
  message: z.enum(['rfc5424', 'rfc3164', 'json', 'raw']).default('rfc5424').meta({
    description: 'Message format. `raw`: the bytes of the record, unchanged.',
  }),
  facility: facility.default(1).meta({
    format: '0 to 23, or a name',
    description: 'Facility of records without `syslog.facility.code`.',
  }),
  severity: severity.default(6).meta({
    format: '0 to 7, or a name',
    description: 'Severity of records without a severity.',
  }),
  host: name.optional().meta({
    format: 'name',
    description: 'Host of records without `host.name`. Default: the name of this host.',
  }),
  app: name.optional().meta({
    format: 'name',
    description: 'Application of records without `service.name`. Default: none, which is written as `-`.',
  }),
  timezone: z.string().refine(isTimeZone, 'expected an IANA name such as "Europe/Berlin"').optional().meta({
    format: 'IANA name',
    default: '"UTC"',
    description: 'Message format `rfc3164` only: the time zone that the receiver assumes.',
  }),
  identify: z.boolean().optional().meta({
    default: 'false',
    description:
      'Message formats `rfc5424` and `json`: adds the stream and position of each record as structured data.',
  }),
  max_message_bytes: messageBytes.optional().meta({
    format: 'bytes, or `"8KiB"`',
    default: `${DEFAULT_MESSAGE_BYTES}`,
    description: 'Maximum message size. Longer messages are truncated, marked and counted.',
  }),
};

type MessageOptions = z.output<z.ZodObject<typeof syslogMessageShape>>;

/** Options without effect for this message format. */
export function messageProblems(options: MessageOptions, place: string): readonly ConfigurationProblem[] {
  const { message, timezone, identify } = options;
  const idle = (key: string, formats: string) => ({
    variable: `${place}.${key}`,
    message: `has no effect: it applies to the message format ${formats} only`,
  });
  return [
    ...(timezone !== undefined && message !== 'rfc3164' ? [idle('timezone', 'rfc3164')] : []),
    ...(identify === true && (message === 'rfc3164' || message === 'raw')
      ? [idle('identify', 'rfc5424 or json')]
      : []),
  ];
}

export function messageSettings(
  options: MessageOptions,
  defaultMaxBytes = DEFAULT_MESSAGE_BYTES,
): MessageSettings {
  return {
    format: options.message,
    facility: options.facility,
    severity: options.severity,
    host: options.host ?? hostname(),
    app: options.app ?? '',
    identify: options.identify ?? false,
    timeZone: options.timezone ?? 'UTC',
    maxBytes: options.max_message_bytes ?? defaultMaxBytes,
  };
}
