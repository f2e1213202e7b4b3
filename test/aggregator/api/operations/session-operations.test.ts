import { describe, expect, test, vi } from 'vitest';
import { FakeClock } from '../../../support/fake-clock.ts';
import { servedApi } from '../served-api.ts';

const TOKEN = 'correct-horse-battery-staple';
const JSON_TYPE = { 'content-type': 'application/json' };

type Served = Awaited<ReturnType<typeof servedApi>>;

/** The headers of the page of this server in a browser. */
function ofPage({ address }: Served, cookie?: string): Record<string, string> {
  const origin = `http://127.0.0.1:${address.port}`;
  return { ...JSON_TYPE, origin, 'sec-fetch-site': 'same-origin', ...(cookie !== undefined && { cookie }) };
}

function signIn(served: Served, token: string, headers: Record<string, string> = {}) {
  const body = JSON.stringify({ token });
  return served.ask('/v1/session', { method: 'POST', headers: { ...ofPage(served), ...headers }, body });
}

async function cookieOf(served: Served): Promise<string> {
  const { status, headers } = await signIn(served, TOKEN);
  expect(status).toBe(204);
  return headers.get('set-cookie')?.split(';')[0] ?? '';
}

describe('without a token', () => {
  test('a session has the access of the machine', async () => {
    const { ask } = await servedApi({ version: '1.2.3', storeName: 'duckdb', clock: new FakeClock() });
    const { status, body } = await ask('/v1/session');
    expect(status).toBe(200);
    expect(body).toEqual({
      version: '1.2.3',
      signIn: 'none',
      access: 'machine',
      store: 'duckdb',
      now: expect.stringMatching(/^\d{4}-\d\d-\d\dT[\d:.]+Z$/),
    });
  });

  test('nothing can sign in', async () => {
    const served = await servedApi();
    const { status, body } = await signIn(served, TOKEN);
    expect(status).toBe(409);
    expect(body).toMatchObject({ error: { code: 'no-token' } });
  });
});

describe('with a token', () => {
  test('a browser signs in once, and its cookie has access from then on', async () => {
    const served = await servedApi({ token: TOKEN });
    expect((await served.ask('/v1/session')).body).toMatchObject({ signIn: 'required', store: null });
    const { status, headers } = await signIn(served, TOKEN);
    expect(status).toBe(204);
    const set = headers.get('set-cookie') ?? '';
    expect(set).toMatch(/^mega-collector-session-0=[\w-]{43}; Path=\/; HttpOnly; SameSite=Strict$/);
    expect(set).not.toContain(TOKEN);
    const cookie = set.split(';')[0] ?? '';
    const reading = { headers: { cookie: `theme=dark; ${cookie}`, 'sec-fetch-site': 'same-origin' } };
    expect((await served.ask('/v1/metrics', reading)).status).toBe(200);
    expect((await served.ask('/v1/dead-letters', reading)).status).toBe(200);
    expect((await served.ask('/v1/session', reading)).body).toMatchObject({
      signIn: 'done',
      access: 'token',
    });
    expect((await served.ask('/v1/metrics', { headers: { cookie: `${cookie}x` } })).status).toBe(401);
  });

  test('a client that sends the token has access without a session', async () => {
    const { ask } = await servedApi({ token: TOKEN });
    const authorization = `Bearer ${TOKEN}`;
    expect((await ask('/v1/session', { headers: { authorization } })).body).toMatchObject({ signIn: 'done' });
    const wrong = { headers: { authorization: 'Bearer wrong' } };
    expect((await ask('/v1/session', wrong)).body).toMatchObject({ signIn: 'required' });
  });

  test.each([{ origin: 'https://127.0.0.1' }, { 'x-forwarded-proto': 'https' }])(
    'the cookie is only for TLS when the browser uses TLS: %j',
    async (headers) => {
      const served = await servedApi({ token: TOKEN });
      const own = new Headers({ ...ofPage(served), ...headers });
      const origin = (own.get('origin') ?? '').replace(
        'https://127.0.0.1',
        `https://127.0.0.1:${served.address.port}`,
      );
      const { headers: answered } = await signIn(served, TOKEN, { ...headers, origin });
      expect(answered.get('set-cookie')).toMatch(/; Secure$/);
    },
  );

  test('a session ends when the browser signs out', async () => {
    const served = await servedApi({ token: TOKEN });
    const cookie = await cookieOf(served);
    const headers = ofPage(served, cookie);
    const out = await served.ask('/v1/session', { method: 'DELETE', headers });
    expect(out.status).toBe(204);
    expect(out.headers.get('set-cookie')).toMatch(/^mega-collector-session-0=; .*Max-Age=0$/);
    expect((await served.ask('/v1/metrics', { headers })).status).toBe(401);
  });

  test('a session ends after 12 hours without a request', async () => {
    const clock = new FakeClock();
    const served = await servedApi({ token: TOKEN, clock });
    const headers = ofPage(served, await cookieOf(served));
    await clock.advance(11 * 60 * 60_000);
    expect((await served.ask('/v1/metrics', { headers })).status).toBe(200);
    await clock.advance(12 * 60 * 60_000);
    expect((await served.ask('/v1/session', { headers })).body).toMatchObject({ signIn: 'required' });
  });

  test('a second sign-in of a browser ends its first session', async () => {
    const served = await servedApi({ token: TOKEN });
    const first = await cookieOf(served);
    expect((await signIn(served, TOKEN, { cookie: first })).status).toBe(204);
    expect((await served.ask('/v1/metrics', { headers: { cookie: first } })).status).toBe(401);
  });

  test.each<[string, string, Record<string, string | undefined>]>([
    ['a write without an origin', 'POST', { origin: undefined, 'sec-fetch-site': undefined }],
    ['a write of another site', 'POST', { origin: 'https://evil.example', 'sec-fetch-site': 'cross-site' }],
    ['a write of another port', 'POST', { origin: 'http://127.0.0.1:1', 'sec-fetch-site': 'same-site' }],
    ['a read of another port', 'GET', { origin: undefined, 'sec-fetch-site': 'same-site' }],
    ['a sign-out of another site', 'DELETE', { origin: 'https://evil.example' }],
  ])('%s with the cookie of a session is rejected', async (_, method, changed) => {
    const served = await servedApi({ token: TOKEN });
    const cookie = await cookieOf(served);
    const all = Object.entries({ ...ofPage(served, cookie), ...changed });
    const headers = Object.fromEntries(
      all.filter((entry): entry is [string, string] => entry[1] !== undefined),
    );
    const path = method === 'DELETE' ? '/v1/session' : '/v1/metrics';
    const body = method === 'POST' ? { body: JSON.stringify({ id: 'requests' }) } : {};
    const { status } = await served.ask(path, { method, headers, ...body });
    expect(status).toBe(403);
    expect(served.store.asked).toEqual([]);
    const own = { headers: { cookie } };
    expect((await served.ask('/v1/session', own)).body).toMatchObject({ signIn: 'done' });
  });

  test('a page of another site cannot sign in', async () => {
    const served = await servedApi({ token: TOKEN });
    const { status, headers } = await signIn(served, TOKEN, { origin: 'https://evil.example' });
    expect(status).toBe(403);
    expect(headers.get('set-cookie')).toBeNull();
  });

  test('a wrong token is answered after a delay', async () => {
    const clock = new FakeClock();
    const served = await servedApi({ token: TOKEN, clock });
    let isAnswered = false;
    const attempt = signIn(served, `${TOKEN}x`).finally(() => {
      isAnswered = true;
    });
    await vi.waitFor(() => expect(clock.waiting).toBe(1));
    expect(isAnswered).toBe(false);
    await clock.advance(250);
    const { status, body, headers } = await attempt;
    expect(status).toBe(401);
    expect(headers.get('set-cookie')).toBeNull();
    expect(JSON.stringify([body, served.lines])).not.toContain(TOKEN);
  });

  test('a flood of attempts is rejected without a look at the token', async () => {
    const clock = new FakeClock();
    const served = await servedApi({ token: TOKEN, clock });
    const waiting = [1, 2, 3, 4].map((at) => signIn(served, `guess-${at}`));
    await vi.waitFor(() => expect(clock.waiting).toBe(4));
    for (const token of ['guess', TOKEN]) {
      const { status, headers } = await signIn(served, token);
      expect(status).toBe(429);
      expect(headers.get('retry-after')).toBe('1');
    }
    await clock.advance(250);
    for (const { status } of await Promise.all(waiting)) expect(status).toBe(401);
    expect((await signIn(served, TOKEN)).status).toBe(204);
    const metrics = await served.metrics.metrics();
    expect(metrics).toContain('aggregator_api_refused_requests_total{reason="attempts"} 2');
  });
});
