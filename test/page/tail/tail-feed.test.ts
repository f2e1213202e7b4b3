import { describe, expect, it } from 'vitest';
import { Problem } from '../../../src/page/api/problem.ts';
import { TailFeed } from '../../../src/page/tail/tail-feed.ts';
import { missedCount, newCount } from '../../../src/page/tail/tail-view.ts';
import { mockRecord } from '../support/mock-records.ts';

const entry = (position: number) => mockRecord(position, Date.parse('2026-11-28T12:00:00Z'), position);
const event = (position: number, id?: number) =>
  `event: log\n${id === undefined ? '' : `id: ${id}\n`}data: ${JSON.stringify(entry(position))}\n\n`;

/** Each connection receives the pieces of one list, then breaks; after the last one, the feed is closed. */
async function run(connections: readonly (readonly string[] | Problem)[]) {
  const starts: (string | undefined)[] = [];
  const states: string[] = [];
  const feed: TailFeed = new TailFeed({
    open: async (lastId) => {
      const pieces = connections[starts.length];
      starts.push(lastId);
      if (pieces === undefined) {
        feed.close();
        throw new DOMException('closed', 'AbortError');
      }
      if (pieces instanceof Problem) throw pieces;
      return piecesOf(pieces);
    },
    onChange: () => states.push(feed.state),
    now: () => 0,
    sleep: async () => {},
  });
  await feed.run();
  return { feed, starts, states, positions: feed.entries.map(({ position }) => position) };
}

async function* piecesOf(pieces: readonly string[]): AsyncIterable<string> {
  yield* pieces;
}

describe('a live tail', () => {
  it('continues after the last id when the connection breaks, and shows each record once', async () => {
    const { starts, positions } = await run([
      [event(1), event(2, 10), event(3)],
      [event(3), event(4, 11)],
    ]);
    expect(starts).toEqual([undefined, '10', '11']);
    expect(positions).toEqual([1, 2, 3, 4]);
  });

  it('keeps its place when the aggregator refuses for a while', async () => {
    const busy = new Problem('failed', { message: 'At most 16 clients can follow logs.' });
    const { starts, positions } = await run([[event(1, 5)], busy, busy, [event(2, 6)]]);
    expect(starts).toEqual([undefined, '5', '5', '5', '6']);
    expect(positions).toEqual([1, 2]);
  });

  it('counts what the aggregator left out', async () => {
    const { feed } = await run([
      ['event: skipped\ndata: {"count":30}\n\n', 'event: skipped\ndata: {"count":4}\n\n'],
    ]);
    expect(feed.skipped).toBe(34);
  });

  it('reports the problem of a stream that cannot be opened', async () => {
    const states: string[] = [];
    const feed = new TailFeed({
      open: async () => {
        throw new Problem('invalid', { message: 'The expression is wrong.' });
      },
      onChange: () => states.push(`${feed.state}: ${feed.problem?.message}`),
      sleep: async () => feed.close(),
    });
    await feed.run();
    expect(states).toEqual(['waiting: The expression is wrong.']);
  });

  it('has bounded memory, and numbers that say what is gone', async () => {
    const { feed } = await run([Array.from({ length: 10_050 }, (_, at) => event(at + 1, at + 1))]);
    expect([feed.entries.length, feed.base, feed.end]).toEqual([10_000, 50, 10_050]);
    const paused = { entries: [entry(1), entry(2)], base: 0, pause: 'button' } as const;
    expect([newCount(paused, feed), missedCount(paused, feed)]).toEqual([10_048, 48]);
    feed.clear();
    expect([feed.entries.length, feed.base, feed.end]).toEqual([0, 10_050, 10_050]);
  });
});
