import type { DuckDBConnection } from '@duckdb/node-api';
import type { SqlStatement } from '../../logstore/sql/sql.ts';
import { rangesFromText, rangesToText } from '../../logstore/stored-ranges.ts';
import type { Range } from '../../records/position.ts';
import { addRange, NO_RANGES, type Ranges } from '../../records/ranges.ts';
import { parseStreamId, type StreamId } from '../../records/stream-id.ts';
import { runStatement } from './run-statement.ts';

/** The ranges of this number of streams are cached, so that not every flush reads them. */
const MAX_REMEMBERED = 8192;

/**
 * The content of the table `streams`, with the additions of the open transaction.
 *
 *     table  <- statements() <-  added since the last commit  <-  add()
 *
 * Only one process uses the database, and only its writer writes this table: cached rows stay valid. After a
 * commit with unknown result the file is opened again, with a new object.
 */
export class StoredStreams {
  readonly #connection: DuckDBConnection;
  readonly #committed = new Map<StreamId, Ranges>();
  readonly #added = new Map<StreamId, Ranges>();

  constructor(connection: DuckDBConnection) {
    this.#connection = connection;
  }

  /** Loads the ranges of these streams for `ranges`. */
  async load(streams: Iterable<StreamId>): Promise<void> {
    const unknown = [...new Set(streams)].filter((stream) => !this.#committed.has(stream));
    if (unknown.length === 0) return;
    const rows = await runStatement(this.#connection, {
      text: "select stream, ranges from streams where stream in (select unnest(cast(string_split($1, ',') as uuid[])))",
      values: [unknown.join(',')],
    });
    for (const stream of unknown) this.#committed.set(stream, NO_RANGES);
    for (const { stream, ranges } of rows) {
      const id = parseStreamId(String(stream).replaceAll('-', ''));
      if (id !== undefined) this.#committed.set(id, rangesFromText(String(ranges)));
    }
  }

  /** The stored ranges of a stream, with the additions. */
  ranges(stream: StreamId): Ranges {
    return this.#added.get(stream) ?? this.#committed.get(stream) ?? NO_RANGES;
  }

  add(stream: StreamId, range: Range): void {
    this.#added.set(stream, addRange(this.ranges(stream), range));
  }

  /** Writes the additions, in the order of the stream ids. */
  statements(nowUnixMicro: number): readonly SqlStatement[] {
    const changed = [...this.#added]
      .sort(([a], [b]) => (a < b ? -1 : 1))
      .map(([stream, ranges]) => ({
        stream,
        ranges: rangesToText(ranges),
      }));
    const values = [JSON.stringify(changed), nowUnixMicro];
    const each = `(select unnest(from_json($1, '[{"stream":"UUID","ranges":"VARCHAR"}]')) as each)`;
    return [
      {
        text: `update streams set ranges = each.ranges, updated_at = make_timestamptz($2) from ${each}
          where streams.stream = each.stream`,
        values,
      },
      {
        text: `insert into streams select each.stream, each.ranges, make_timestamptz($2) from ${each}
          on conflict (stream) do nothing`,
        values,
      },
    ];
  }

  committed(): void {
    for (const [stream, ranges] of this.#added) {
      // Moves the stream to the end of the map: the first ones are evicted first.
      this.#committed.delete(stream);
      this.#committed.set(stream, ranges);
    }
    this.#added.clear();
    for (const stream of this.#committed.keys()) {
      if (this.#committed.size <= MAX_REMEMBERED) break;
      this.#committed.delete(stream);
    }
  }

  rolledBack(): void {
    this.#added.clear();
  }
}
