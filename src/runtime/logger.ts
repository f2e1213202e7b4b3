import { createRequire } from 'node:module';
import { Writable } from 'node:stream';
import { type DestinationStream, destination, type Logger, pino } from 'pino';
import { escapeUnseen } from './escape-controls.ts';
import type { LogLevel } from './log-level.ts';

export interface LoggerOptions {
  readonly level: LogLevel;
  /** The role: `aggregator`, `collector`. */
  readonly name: string;
  /** For people, on a terminal. Otherwise one JSON object per line. */
  readonly pretty: boolean;
  /** Default: `logDestination()`. */
  readonly to?: DestinationStream;
}

/** Keys of possible secrets, at the top of a log line and one level below: an additional safeguard. */
const SECRET_KEYS = [
  ...['password', 'secret', 'token', 'authorization', 'integration_key', 'integrationKey', 'routing_key'],
  ...['api_key', 'apiKey', 'key_pem', 'tlsKey', 'material'],
];

/** This program's log: always on stderr, never on stdout, which may contain records. */
export function createLogger({
  level,
  name,
  pretty: forPeople,
  to = logDestination(),
}: LoggerOptions): Logger {
  return pino(
    {
      level,
      name,
      base: { name },
      timestamp: pino.stdTimeFunctions.isoTime,
      formatters: { level: (label) => ({ level: label }) },
      hooks: { streamWrite: escapeUnseen },
      redact: { paths: SECRET_KEYS.flatMap((key) => [key, `*.${key}`]), censor: '[redacted]' },
    },
    forPeople ? prettyTo(to) : to,
  );
}

/** Loaded only for terminals: it is large. */
function prettyTo(to: DestinationStream): DestinationStream {
  const pretty = createRequire(import.meta.url)('pino-pretty') as (options: object) => DestinationStream;
  return pretty({
    colorize: true,
    singleLine: true,
    ignore: 'name',
    translateTime: 'SYS:HH:MM:ss.l',
    destination: harmlessTo(to),
    sync: true,
  });
}

/** The prettifier decodes characters that JSON escaped. */
function harmlessTo(to: DestinationStream): Writable {
  return new Writable({
    decodeStrings: false,
    write: (text: string | Buffer, _, done) => {
      to.write(escapeUnseen(text.toString()));
      done();
    },
  });
}

/** Limit for log lines of a slow reader; above it lines are dropped, and data continues. */
const MAX_WAITING_BYTES = 1024 * 1024;

/**
 * Stderr without blocking the event loop; pino writes the rest at the end of the process. All loggers of a
 * process share it, so that lines are not mixed.
 */
export function logDestination(): DestinationStream {
  const stream = destination({ fd: 2, sync: false, maxLength: MAX_WAITING_BYTES });
  // The reader of the log is gone: the process continues.
  stream.on('error', () => {});
  return stream;
}
