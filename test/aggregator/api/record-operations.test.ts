import { describe, expect, test } from 'vitest';
import type { LogEntry } from '../../../src/logstore/logs/log-requests.ts';
import type { StreamId } from '../../../src/records/stream-id.ts';
import { recordBatch } from '../../support/record-batches.ts';
import { fakeQueue } from './fake-queue.ts';
import { ENTRY, fakeStore } from './fake-store.ts';
import { servedApi } from './served-api.ts';

const STREAM = '0197c0de00007000800000000000000a' as StreamId;
const PATH = `/v1/logs/${STREAM}/4096`;
const FILTER = {
  emitter: 'duckdb',
  filter: 'mask.filter',
  state: 'active',
  problems: [],
  errors: 0,
} as const;

async function asked(options: Parameters<typeof servedApi>[0] = {}, record: LogEntry | undefined = ENTRY) {
  const found: unknown[] = [];
  const queue = {
    ...fakeQueue(),
    findRecord: async (...place: unknown[]) => {
      found.push(place);
      return recordBatch(['{"a": 1}\n'], { stream: STREAM, start: 4096 });
    },
  };
  const store = fakeStore({ record: async () => record });
  const { ask } = await servedApi({ queue: () => queue, store: () => store, ...options });
  return { found, answer: await ask(PATH) };
}

describe('a record by its position', () => {
  test('has its bytes while the queue has them', async () => {
    const { answer } = await asked();
    expect(answer.body).toMatchObject({
      entry: { body: ENTRY.body },
      raw: Buffer.from('{"a": 1}\n').toString('base64'),
      rawNote: 'The bytes as the collector sent them: the queue still has them.',
      format: 'json',
    });
  });

  test('has a note if the queue does not have them any more, or is not open', async () => {
    const gone = await asked({ queue: () => fakeQueue() });
    expect(gone.answer.body).toMatchObject({
      raw: null,
      rawNote: expect.stringContaining('The queue does not have these bytes any more'),
    });
    const closed = await asked({ queue: () => 'The state is not open.' });
    expect(closed.answer.body).toMatchObject({ raw: null, rawNote: 'The state is not open.' });
  });

  test('has no bytes for a client without a token while a filter may have removed a part', async () => {
    const { answer, found } = await asked({ filterStatuses: () => [FILTER] });
    expect(answer.body).toMatchObject({
      raw: null,
      rawNote: expect.stringContaining('the bytes need a token'),
      explanation: expect.arrayContaining([expect.stringContaining('mask.filter')]),
    });
    expect(found).toEqual([]);
  });

  test('explains its markers', async () => {
    const { answer } = await asked({}, { ...ENTRY, attributes: { 'megacollector.parse_error': 'not JSON' } });
    expect((answer.body as { explanation: string[] }).explanation).toContain(
      'megacollector.parse_error: the record is not in its format (not JSON), so its body is the record as received.',
    );
  });

  test('that the store does not have is not found', async () => {
    const store = fakeStore({ record: async () => undefined });
    const { answer } = await asked({ store: () => store });
    expect(answer).toMatchObject({ status: 404, body: { error: { code: 'not-found' } } });
  });
});
