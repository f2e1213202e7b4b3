import { createRequire } from 'node:module';
import { Writable } from 'node:stream';
import { type DestinationStream, type Logger, pino } from 'pino';
import type { LogLevel } from '../configuration/log-level.ts';
import { escapeJsonControls, escapeUnseen } from './escape-controls.ts';
import { LogDestination } from './log-destination.ts';

/** This program's log: always on stderr, never on stdout, which may contain records. */
export function createLogger({
  level,
  name,
  pretty: forPeople,
  colours = true,
  to = new LogDestination(STDERR),
}: LoggerOptions): Logger {
  return pino(
    {
      level,
      name,
      base: { name },
      timestamp: pino.stdTimeFunctions.isoTime,
      formatters: { level: (label) => ({ level: label }) },
      hooks: { streamWrite: forPeople ? (line) => escapeJsonControls(escapeUnseen(line)) : escapeUnseen },
      redact: { paths: SECRET_KEYS.flatMap((key) => [key, `*.${key}`]), censor: '[redacted]' },
    },
    forPeople ? prettyTo(to, colours) : to,
  );
}

export interface LoggerOptions {
  readonly level: LogLevel;
  /** The role: `aggregator`, `collector`. */
  readonly name: string;
  /** For people, on a terminal. Otherwise one JSON object per line. */
  readonly pretty: boolean;
  /** Colours of pretty lines. Default: true. */
  readonly colours?: boolean;
  /** Default: stderr. Loggers of one process share it, so that no line is written within another. */
  readonly to?: DestinationStream;
}

/** Keys of possible secrets, at the top of a log line and one level below: an additional safeguard. */
const SECRET_KEYS = [
  ...['password', 'secret', 'token', 'authorization', 'integration_key', 'integrationKey', 'routing_key'],
  ...['api_key', 'apiKey', 'key_pem', 'tlsKey', 'material'],
];

const STDERR = 2;

/** Loaded only for terminals: it is large. */
function prettyTo(to: DestinationStream, colours: boolean): DestinationStream {
  const pretty = createRequire(import.meta.url)('pino-pretty') as (options: object) => DestinationStream;
  return pretty({
    colorize: colours,
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
