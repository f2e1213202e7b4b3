import type { Json } from '../records/json.ts';
import type { ControlHandlers } from '../runtime/control/control.ts';
import type { CollectorStatus, StreamBalanceReport } from '../runtime/control/control-commands.ts';
import { ControlError } from '../runtime/control/control-error.ts';
import type { Source } from './source.ts';
import type { StreamStatus } from './stream-status.ts';

/** The parts of a source that the control socket needs. */
type ReportingSource = Pick<Source, 'status' | 'explain'>;

/** The commands of a collector's control socket. */
export function collectorControl(sources: readonly ReportingSource[]): ControlHandlers {
  return {
    status: async (input) => json(status(sources, isObject(input) && input.verbose === true)),
    explain: async (input) => {
      const path = isObject(input) ? input.path : undefined;
      if (typeof path !== 'string')
        throw new ControlError('invalid-request', 'Invalid request: "path" is missing.');
      const explanation = await sources.find((source) => source.explain !== undefined)?.explain?.(path);
      if (explanation === undefined)
        throw new ControlError(
          'invalid-request',
          `Cannot explain ${path}: this collector reads no files. Set COLLECTOR_TAIL.`,
        );
      return json(explanation);
    },
  };
}

function status(sources: readonly ReportingSource[], verbose: boolean): CollectorStatus {
  const statuses = sources.map((source) => source.status());
  const lost = statuses.reduce((total, { lostBytes = 0 }) => total + lostBytes, 0);
  const streams = statuses
    .flatMap((of) => of.streams)
    .map((stream) => ({ stream: stream.stream, source: stream.origin, ...balance(stream) }));
  const sum = (of: keyof StreamBalanceReport) => streams.reduce((total, stream) => total + stream[of], 0);
  return {
    role: 'collector',
    ...{ read: sum('read'), accepted: sum('accepted'), waiting: sum('waiting'), unread: sum('unread') },
    lost,
    ...(verbose && { streams }),
  };
}

/** `waiting`: read and not accepted. `unread`: bytes of the files after that. */
function balance({ readBytes, acceptedBytes, waitingBytes }: StreamStatus): StreamBalanceReport {
  const waiting = readBytes - acceptedBytes;
  return { read: readBytes, accepted: acceptedBytes, waiting, unread: waitingBytes - waiting };
}

function isObject(input: Json): input is { readonly [key: string]: Json } {
  return typeof input === 'object' && input !== null && !Array.isArray(input);
}

/** These types are JSON; the compiler cannot verify it. */
function json(value: unknown): Json {
  return value as Json;
}
