import type { QueueContext } from '../../../src/aggregator/api/operations/queue-context.ts';
import type { StreamId } from '../../../src/records/stream-id.ts';
import type { DeadLetterSummary } from '../../../src/storage/queue/queue-contract.ts';
import { lines, recordBatch } from '../../support/record-batches.ts';

/** A queue that answers the same to every request, and writes down the changes. */
export interface FakeQueue extends ReturnType<QueueContext['queue']> {
  readonly changes: readonly string[];
}

const AMOUNT = { records: 2, bytes: 12 };
const STREAM = '0197c0de00007000800000000000000a' as StreamId;

export const LETTER: DeadLetterSummary = {
  id: `file/${STREAM}/4096`,
  emitter: 'file',
  stream: STREAM,
  position: 4096,
  reason: 'the destination rejects it',
  rejectedTimeUnixNano: 1_700_000_000_123_456_789n,
  replaying: false,
  ...AMOUNT,
};

const RECENT = recordBatch(lines(2));

/** It knows the emitters `file` and `archive`. */
export function fakeQueue(): FakeQueue {
  const changes: string[] = [];
  const emitter = (name: string) => ({ name, queued: AMOUNT, deadLettered: AMOUNT });
  const balance = {
    before: AMOUNT,
    queued: AMOUNT,
    deadLettered: AMOUNT,
    discarded: AMOUNT,
    filtered: AMOUNT,
    delivered: AMOUNT,
  };
  return {
    changes,
    balance: () => ({ accepted: AMOUNT, emitters: [{ emitter: 'file', ...balance }], diskBytes: 65_536 }),
    recentEntries: async () => [RECENT],
    findRecord: async () => undefined,
    knownEmitters: () =>
      ['file', 'archive'].map((name) => ({ ...emitter(name), committed: { entry: 1, record: 0 } })),
    forgetEmitter: async (name) => {
      changes.push(`forget ${name}`);
      return name === 'archive';
    },
    skipCorruptEntry: async (name) => {
      changes.push(`skip ${name}`);
      return name === 'archive' ? AMOUNT : undefined;
    },
    deadLetters: {
      list: (of) => (of === undefined || of === LETTER.emitter ? [LETTER] : []),
      read: async (id) => (id === LETTER.id ? recordBatch(['one\n', 'two\n']) : undefined),
      requestReplay: async (ids) => {
        changes.push(`replay ${ids.join()}`);
        return ids.length;
      },
      discard: async (ids) => {
        changes.push(`discard ${ids.join()}`);
        return ids.length;
      },
      replaying: () => [],
      onReplayRequested: () => () => {},
      full: () => false,
    },
  };
}
