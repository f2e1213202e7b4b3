import type { StreamId } from '../records/stream-id.ts';
import type { Clock } from '../runtime/clock.ts';
import { HttpError } from '../runtime/http/http-error.ts';
import { largest } from '../runtime/largest.ts';
import type { TapPoints } from '../tap/tap-request.ts';
import type { TapSelector } from '../tap/taps.ts';
import type { Source } from './source.ts';

type TappedSource = Pick<Source, 'name' | 'status'>;

/** The point that all records of the collector pass. */
const ALL = 'all';
const MAX_STREAMS = 50;
const REFRESH_MS = 1000;
const FILE_PATH = 'log.file.path';

/** The points of a collector: all sources, each source, and each of their streams and listeners. */
export function collectorTapPoints(sources: readonly TappedSource[]): TapPoints {
  const statuses = sources.map((source) => ({ source, status: source.status() }));
  const streams = statuses.flatMap(({ status }) => status.streams);
  const origins = largest(streams, MAX_STREAMS, ({ acceptedBytes }) => acceptedBytes);
  return {
    points: [
      { point: ALL, description: 'All records that the collector sends.' },
      ...sources.map(({ name }) => ({ point: name, description: 'All records of this source.' })),
      ...[...new Set(origins.map(({ origin }) => origin))].map((origin) => ({
        point: origin,
        description: 'The records of this file, listener or stream.',
      })),
    ],
    omitted: streams.length - origins.length,
  };
}

/**
 * Selects the batches of a point: `all`, the name of a source, the path of a file, the name of a listener, or the id of
 * a stream. Throws HttpError for an unknown point.
 */
export function collectorTapSelector(
  point: string,
  sources: readonly TappedSource[],
  clock: Clock,
): TapSelector {
  if (point === ALL) return () => true;
  if (sources.some(({ name }) => name === point)) return (_batch, place) => place === point;
  const streams = new StreamsOfPoint(point, sources, clock);
  if (!streams.exist)
    throw new HttpError(
      404,
      'not-found',
      `Cannot tap ${point}: this collector has no source, file, listener or stream of this name. List the points with mega-collector tap; mega-collector explain says why a file is not read.`,
    );
  return ({ stream, resource }) =>
    stream === point || resource.get(FILE_PATH) === point || streams.have(stream);
}

/** The streams whose origin is the point. A rotated file continues in another stream. */
class StreamsOfPoint {
  readonly #find: () => ReadonlySet<StreamId>;
  readonly #clock: Clock;
  readonly exist: boolean;
  #ids: ReadonlySet<StreamId>;
  /** Streams that are known not to belong to the point. */
  readonly #others = new Set<StreamId>();
  #refreshedMs: number;

  constructor(point: string, sources: readonly TappedSource[], clock: Clock) {
    const all = () => sources.flatMap((source) => source.status().streams);
    this.#find = () =>
      new Set(
        all()
          .filter(({ stream, origin }) => origin === point || stream === point)
          .map(({ stream }) => stream),
      );
    this.#clock = clock;
    this.#ids = this.#find();
    this.#refreshedMs = clock.monotonicMs();
    this.exist =
      this.#ids.size > 0 ||
      sources.some((source) => source.status().listeners?.some(({ listener }) => listener === point));
  }

  have(stream: StreamId): boolean {
    if (this.#ids.has(stream)) return true;
    if (this.#others.has(stream)) return false;
    const nowMs = this.#clock.monotonicMs();
    if (nowMs - this.#refreshedMs < REFRESH_MS) return false;
    this.#refreshedMs = nowMs;
    this.#ids = this.#find();
    if (!this.#ids.has(stream)) this.#others.add(stream);
    return this.#ids.has(stream);
  }
}
