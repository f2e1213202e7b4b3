import { describe, expect, test, vi } from 'vitest';
import type { LogEntry, SearchPage, SearchRequest } from '../../../src/logstore/logs/log-requests.ts';
import { SqlError } from '../../../src/logstore/sql/sql-database.ts';
import { ENTRY, fakeStore } from './fake-store.ts';
import { servedApi } from './served-api.ts';

/** Pages of these entries; an error in the list is the answer instead of a page. */
function paged(pages: readonly (readonly LogEntry[] | Error)[]) {
  const asked: SearchRequest[] = [];
  const search = async (request: SearchRequest): Promise<SearchPage> => {
    asked.push(request);
    const at = Number(request.cursor ?? 0);
    const page = pages[at] ?? [];
    if (page instanceof Error) throw page;
    return { entries: [...page], next: at + 1 < pages.length ? String(at + 1) : null };
  };
  return { asked, store: fakeStore({ search }) };
}

async function exported(pages: readonly (readonly LogEntry[] | Error)[], query = '') {
  const { asked, store } = paged(pages);
  const { url } = await servedApi({ store: () => store });
  const response = await fetch(url(`/v1/logs/export${query}`));
  return { asked, response, text: await response.text() };
}

const entry = (body: string): LogEntry => ({ ...ENTRY, body, attributes: {} });

describe('an export', () => {
  test('is a download of all pages, newest first', async () => {
    const { response, text, asked } = await exported([[entry('a'), entry('b')], [entry('c')]], '?from=1h');
    expect(response.status).toBe(200);
    expect(response.headers.get('content-type')).toBe('application/x-ndjson; charset=utf-8');
    expect(response.headers.get('content-disposition')).toMatch(
      /^attachment; filename="logs-\d{8}T\d{6}Z\.ndjson"$/,
    );
    const bodies = text
      .trimEnd()
      .split('\n')
      .map((line) => (JSON.parse(line) as LogEntry).body);
    expect(bodies).toEqual(['a', 'b', 'c']);
    // The begin of the time does not move while the export runs.
    expect(asked.map(({ from }) => from)).toEqual([asked[0]?.from, asked[0]?.from]);
    expect(asked[0]?.from).toMatch(/^20.*Z$/);
  });

  test('that is broken off ends with a marker', async () => {
    const failing = [[entry('a')], new SqlError('timeout', 'too slow')];
    const { response, text } = await exported(failing);
    expect(response.status).toBe(200);
    expect(JSON.parse(text.trimEnd().split('\n').at(-1) ?? '')).toEqual({
      error: {
        code: 'timeout',
        message: expect.stringContaining('The export is broken off: The store did not'),
      },
    });
    const csv = await exported(failing, '?format=csv');
    expect(csv.text.split('\r\n').at(-2)).toMatch(/^"?#error timeout: The export is broken off/);
    const plain = await exported(failing, '?format=text');
    expect(plain.text.trimEnd().split('\n').at(-1)).toMatch(/^#error timeout: The export is broken off/);
  });

  test('with an error at its begin is answered with the error', async () => {
    const { response, text } = await exported([new SqlError('unavailable', 'The store is gone.')]);
    expect(response.status).toBe(503);
    expect(JSON.parse(text)).toMatchObject({ error: { code: 'unavailable' } });
  });

  test('ends at the limit of the client without a marker', async () => {
    const { text, asked } = await exported([[entry('a')], [entry('b')], [entry('c')]], '?limit=2');
    expect(text.trimEnd().split('\n')).toHaveLength(2);
    expect(asked.map(({ limit }) => limit)).toEqual([2, 1]);
  });

  test('does not read the next page before the client has read this one', async () => {
    const large = Array.from({ length: 100 }, () => entry('x'.repeat(100_000)));
    const { asked, store } = paged([large, large, large, large, large, large]);
    const { url } = await servedApi({ store: () => store });
    const leaving = new AbortController();
    const response = await fetch(url('/v1/logs/export'), { signal: leaving.signal });
    const reader = response.body?.getReader();
    await reader?.read();
    await new Promise((resolve) => setTimeout(resolve, 200));
    expect(asked.length).toBeLessThan(4);
    leaving.abort();
    await reader?.closed.catch(() => {});
  });

  test('is rejected while four others run', async () => {
    const store = fakeStore({ search: () => new Promise(() => {}) });
    const { url } = await servedApi({ store: () => store });
    const leaving = new AbortController();
    const running = Array.from({ length: 4 }, () =>
      fetch(url('/v1/logs/export'), { signal: leaving.signal }).catch(() => undefined),
    );
    await vi.waitFor(() => expect(store.asked).toHaveLength(4), 20_000);
    const fifth = await fetch(url('/v1/logs/export'));
    expect(fifth.status).toBe(503);
    expect(await fifth.json()).toMatchObject({
      error: { message: expect.stringContaining('At most 4 exports') },
    });
    leaving.abort();
    await Promise.all(running);
  });
});
