import { createRequire } from 'node:module';
import { Writable } from 'node:stream';
import { type DestinationStream, destination, type Logger, pino } from 'pino';
import { escapeUnseen } from './escape-controls.ts';
import type { LogLevel } from './log-level.ts';

export interface LoggerOptions {
  readonly level: LogLevel;
  /** Which half speaks: `aggregator`, `collector`. */
  readonly name: string;
  /** For people: on a terminal. Else one JSON object per line. */
  readonly pretty: boolean;
  /** Colours of pretty lines. Default: true. */
  readonly colours?: boolean;
  /** Default: `logDestination()`. */
  readonly to?: DestinationStream;
}

/** Keys under which a secret may stand, at the top of a log line and one level below: a last net, not the rule. */
const SECRET_KEYS = [
  ...['password', 'secret', 'token', 'authorization', 'integration_key', 'integrationKey', 'routing_key'],
  ...['api_key', 'apiKey', 'key_pem', 'tlsKey', 'material'],
];

/** Our own logs: always to stderr, never to stdout, which may carry records. */
export function createLogger({
  level,
  name,
  pretty: forPeople,
  colours = true,
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
    forPeople ? prettyTo(to, colours) : to,
  );
}

/** Loaded only where a person looks: it is not small. */
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

/** The prettifier decodes what JSON escaped. */
function harmlessTo(to: DestinationStream): Writable {
  return new Writable({
    decodeStrings: false,
    write: (text: string | Buffer, _, done) => {
      to.write(escapeUnseen(text.toString()));
      done();
    },
  });
}

/** What may wait for a reader of our logs who does not read; beyond it lines are dropped, and data goes on. */
const MAX_WAITING_BYTES = 1024 * 1024;

/**
 * Stderr, without blocking the loop; at the end of the process pino writes what is left. Loggers of one process share it,
 * so that no line lands within another.
 */
export function logDestination(): DestinationStream {
  const stream = destination({ fd: 2, sync: false, maxLength: MAX_WAITING_BYTES });
  // Nobody reads our logs any more: no reason to end.
  stream.on('error', () => {});
  return stream;
}
