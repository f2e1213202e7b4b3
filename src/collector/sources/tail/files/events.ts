import type { Logger } from 'pino';
import { Counter, Gauge, type Registry } from 'prom-client';
import type { Position } from '../../../../records/position.ts';
import type { StreamId } from '../../../../records/stream-id.ts';

/** The fields of a stream in a log line. */
interface StreamFields {
  readonly stream: StreamId;
  readonly path: string;
}

const MAX_RECOVERED_PATHS = 10_000;

/** All events of tailed files. Each is logged and counted here. */
export class TailEvents {
  readonly #logger: Logger;
  readonly #bytes: Counter;
  readonly #records: Counter;
  readonly #cut: Counter;
  readonly #unterminated: Counter;
  readonly #skipped: Counter;
  readonly #lostBytes: Counter<'reason'>;
  readonly #generations: Counter<'kind'>;
  readonly #comparisons: Counter;
  readonly #followed: Gauge;
  readonly #open: Gauge;
  readonly #scanSeconds: Counter;
  readonly #recovered = new Set<string>();
  #allLostBytes = 0;

  constructor(logger: Logger, registry: Registry) {
    this.#logger = logger;
    const registers = [registry];
    const counter = <L extends string>(name: string, help: string, labelNames: L[]) =>
      new Counter({ name: `collector_${name}`, help, labelNames, registers });
    const gauge = (name: string, help: string) => new Gauge({ name: `collector_${name}`, help, registers });
    this.#bytes = sourceCounter(registry, 'bytes', 'Bytes read for the publisher');
    this.#records = sourceCounter(registry, 'records', 'Records read for the publisher');
    this.#cut = sourceCounter(registry, 'cut_records', 'Records that were longer than the limit');
    this.#skipped = sourceCounter(registry, 'skipped_bytes', 'NUL bytes that were skipped');
    this.#unterminated = sourceCounter(
      registry,
      'unterminated_records',
      'Records sent before their line ended',
    );
    this.#lostBytes = counter('tail_lost_bytes_total', 'Bytes that were lost before they could be read', [
      'reason',
    ]);
    this.#generations = counter('tail_generations_total', 'Files that got a new generation or a new path', [
      'kind',
    ]);
    this.#comparisons = counter(
      'tail_comparisons_total',
      'Comparisons of an unread file with a stream that may continue in it, or be its original',
      [],
    );
    this.#followed = gauge('tail_followed_files', 'Files that are followed');
    this.#open = gauge('tail_open_files', 'Open files');
    this.#scanSeconds = counter('tail_scan_seconds_total', 'Time spent on scans for files', []);
  }

  /** The bytes that were lost in this run, for any reason. */
  get allLostBytes(): number {
    return this.#allLostBytes;
  }

  read(bytes: number, records: number): void {
    this.#bytes.inc({ source: 'tail' }, bytes);
    this.#records.inc({ source: 'tail' }, records);
  }

  compared(): void {
    this.#comparisons.inc();
  }

  cut(count: number): void {
    this.#cut.inc({ source: 'tail' }, count);
  }

  skipped(hole: StreamFields & { readonly position: Position; readonly skippedBytes: number }): void {
    this.#skipped.inc({ source: 'tail' }, hole.skippedBytes);
    this.#logger.warn(hole, 'Skipped a run of NUL bytes in a file');
  }

  unterminated(): void {
    this.#unterminated.inc({ source: 'tail' });
  }

  scanned(numbers: { readonly followed: number; readonly open: number; readonly ms: number }): void {
    this.#followed.set(numbers.followed);
    this.#open.set(numbers.open);
    this.#scanSeconds.inc(numbers.ms / 1000);
  }

  began(stream: StreamFields & { readonly position: Position }): void {
    this.#generations.inc({ kind: 'new' });
    this.#logger.info(stream, 'Following a file');
  }

  resumed(stream: StreamFields & { readonly position: Position }): void {
    this.#logger.info(stream, 'Resumed a file at its last position');
  }

  renamed(stream: StreamFields & { readonly from: string }): void {
    this.#generations.inc({ kind: 'renamed' });
    this.#logger.info(stream, 'A followed file was renamed');
  }

  replaced(stream: StreamFields): void {
    this.#generations.inc({ kind: 'replaced' });
    this.#logger.info(stream, 'A followed file was replaced by one with the same bytes');
  }

  movedAway(stream: StreamFields): void {
    this.#generations.inc({ kind: 'moved_away' });
    this.#logger.info(
      stream,
      'A followed file was renamed to a path that no pattern matches; it is read to its end',
    );
  }

  unlinked(stream: StreamFields): void {
    this.#generations.inc({ kind: 'unlinked' });
    this.#logger.info(stream, 'A followed file was deleted; it is read to its end');
  }

  finished(stream: StreamFields & { readonly position: Position }): void {
    this.#logger.info(stream, 'Stopped following a file: all of it was read');
  }

  copyFound(copy: { readonly path: string; readonly of: string }): void {
    this.#generations.inc({ kind: 'copy' });
    this.#logger.info(copy, 'A file is not read: it is a copy of a followed file');
  }

  truncated(stream: StreamFields & { readonly position: Position }): void {
    this.#generations.inc({ kind: 'truncated' });
    this.#logger.info(stream, 'A followed file was truncated or rewritten');
  }

  lost(stream: StreamFields & { readonly position: Position; readonly lostBytes: number }): void {
    this.#countLost('truncated', stream.lostBytes);
    this.#logger.error(stream, 'Bytes of a file were lost before they could be read');
  }

  /** `lostBytes` is undefined when the number of bytes after the last read cannot be known. */
  gone(
    stream: StreamFields & {
      readonly position: Position;
      readonly lostBytes: number | undefined;
      /** The compressed file or the copy that has its content. */
      readonly rotatedTo: string | undefined;
    },
    state: 'missing' | 'replaced' | 'rewritten',
  ): void {
    const what = {
      missing: 'A file was missing at the start',
      replaced: 'A file was replaced by another one before the start',
      rewritten: 'A file was truncated or rewritten before the start',
    }[state];
    if (stream.lostBytes === undefined) {
      this.#logger.warn(stream, `${what}: bytes that were written after the last run, if any, were not read`);
      return;
    }
    this.#countLost('gone', stream.lostBytes);
    this.#logger.error(stream, `${what}: not all of its earlier bytes were read`);
  }

  /** A generation that was renamed before a scan saw it at `home`, the path at which it was written. */
  foundMovedAway(stream: StreamFields & { readonly home: string }): void {
    this.#generations.inc({ kind: 'new' });
    this.#generations.inc({ kind: 'moved_away' });
    this.#logger.info(
      stream,
      'Reading a file that was created and renamed between two scans; no pattern matches its path',
    );
  }

  /** `lostBytes` is undefined when the size of the content cannot be known. */
  unreadGeneration(
    file: { readonly path: string; readonly lostBytes: number | undefined },
    written: 'stopped' | 'running',
  ): void {
    this.#generations.inc({ kind: 'unread' });
    this.#countLost('unread_generation', file.lostBytes ?? 0);
    const when = written === 'stopped' ? 'while the collector was not running' : 'between two scans';
    this.#logger.warn(
      file,
      `A rotated file is not read: it was written ${when}, and is compressed or matches no pattern`,
    );
  }

  discarded(stream: StreamFields & { readonly position: Position; readonly lostBytes: number }): void {
    this.#countLost('deleted_limit', stream.lostBytes);
    this.#logger.error(
      stream,
      'Deleted files exceed their limit of disk space: discarded the unread rest of the one that was deleted first',
    );
  }

  diverged(stream: StreamFields & { readonly replacement: StreamId; readonly position: Position }): void {
    this.#generations.inc({ kind: 'diverged' });
    this.#logger.warn(
      stream,
      'The aggregator has other bytes under this stream: the state was cloned or rolled back, or the file is another one. Continuing at the local checkpoint as a new stream',
    );
  }

  recovered(
    stream: StreamFields & {
      readonly replaced: StreamId;
      readonly position: Position;
      readonly was: Position;
    },
  ): void {
    this.#generations.inc({ kind: 'recovered' });
    // A program that overwrites the end of its file does so with each record: one line for each path is
    // enough.
    const level = this.#recovered.has(stream.path) ? 'debug' : 'warn';
    if (this.#recovered.size < MAX_RECOVERED_PATHS) this.#recovered.add(stream.path);
    this.#logger[level](
      stream,
      'A file has lost bytes that were read: continuing at the last position with the same bytes, as a new stream',
    );
  }

  #countLost(reason: string, bytes: number): void {
    this.#allLostBytes += bytes;
    this.#lostBytes.inc({ reason }, bytes);
  }

  unreadable(file: { readonly path: string }): void {
    this.#logger.warn(file, 'Cannot open a file; trying again at the next scan');
  }

  compressed(file: { readonly path: string; readonly compression: string }): void {
    this.#logger.warn(
      file,
      'A file is not read because it is compressed: decompress it, or list it in "exclude"',
    );
  }

  unnameable(file: { readonly path: string }): void {
    this.#logger.error(file, 'A file is not read because its name is not UTF-8: rename it');
  }

  checkpointsFailed(error: Error): void {
    this.#logger.error({ err: error }, 'Cannot write checkpoints; trying again');
  }

  unwatched(directory: string, error: Error): void {
    this.#logger.warn(
      { path: directory, err: error },
      'Cannot watch a directory for changes; it is only polled',
    );
  }

  scanFailed(error: unknown): void {
    this.#logger.error({ err: error }, 'Cannot scan for files; trying again');
  }
}

/** All sources share these counters, with a label for each source. */
function sourceCounter(registry: Registry, what: string, help: string): Counter {
  const name = `collector_source_${what}_total`;
  const known = registry.getSingleMetric(name);
  if (known instanceof Counter) return known;
  return new Counter({ name, help, labelNames: ['source'], registers: [registry] });
}
