import { randomBytes } from 'node:crypto';
import { join } from 'node:path';
import { checkOf } from '../../src/records/check.ts';
import { STREAM_ID_BYTES, type StreamId } from '../../src/records/stream-id.ts';
import { queueTables, type StreamRow } from '../../src/storage/queue/queue-tables.ts';
import { openStateStore } from '../../src/storage/state/state-store.ts';

const ROWS_PER_WRITE = 20_000;
const STREAMS_PER_COLLECTOR = 1_000;

/** Adds streams to the ledger of an aggregator that does not run, as collectors leave them in the course of time. */
export async function fillLedger(stateDirectory: string, streams: number): Promise<void> {
  const store = await openStateStore(join(stateDirectory, 'state'), {});
  const { streams: table } = queueTables(store);
  const endCheck = checkOf(Buffer.from('the last line of a stream\n'));
  for (let done = 0; done < streams; done += ROWS_PER_WRITE) {
    const count = Math.min(ROWS_PER_WRITE, streams - done);
    await store.write(() => {
      let collectorId = '';
      for (let at = 0; at < count; at++) {
        if (at % STREAMS_PER_COLLECTOR === 0) collectorId = randomBytes(16).toString('hex');
        const row: StreamRow = {
          ...{ ranges: [0, 1_000_000 + at], endCheck, checksum: { from: 0, crc32: at }, instance: '1' },
          owner: { collectorId, tlsSubject: null },
          ...{
            records: 10_000,
            bytes: 1_000_000 + at,
            isCounted: false,
            lastEntry: 0,
            seenDay: 0,
            final: null,
          },
        };
        table.put(ascendingId(done + at, streams), row);
      }
    });
  }
  await store.close();
}

/** Ascending ids are written much faster than random ones. */
function ascendingId(at: number, count: number): StreamId {
  const prefix = Math.floor((at / count) * 0xffff_ffff)
    .toString(16)
    .padStart(8, '0');
  return (prefix + randomBytes(STREAM_ID_BYTES).toString('hex').slice(prefix.length)) as StreamId;
}
