import { expect, test } from 'vitest';
import { fakeStore } from './fake-store.ts';
import { servedApi } from './served-api.ts';

test('a problem of an expression has its place', async () => {
  const { post } = await servedApi();
  expect((await post('/v1/expressions/check', { expression: 'a == 1' })).body).toEqual({
    valid: true,
    problems: [],
  });
  expect((await post('/v1/expressions/check', { expression: 'body contians "x"' })).body).toEqual({
    valid: false,
    problems: [
      {
        message: expect.stringContaining('expected a comparison'),
        offset: 5,
        length: 8,
        nearest: ['contains'],
      },
    ],
  });
  expect(
    (await post('/v1/expressions/check', { expression: 'a == 1 and resource.x == 2' })).body,
  ).toMatchObject({
    valid: false,
    problems: [{ offset: 11, length: 10, nearest: ['x'] }],
  });
});

test('a log group is checked in the store, if there is one', async () => {
  const expression = 'group("chekout")';
  const { post } = await servedApi();
  expect((await post('/v1/expressions/check', { expression })).body).toMatchObject({
    valid: false,
    problems: [{ offset: 6, length: 9, nearest: ['checkout'] }],
  });
  const without = await servedApi({ store: () => undefined });
  expect((await without.post('/v1/expressions/check', { expression })).body).toMatchObject({ valid: true });
});

test('a definition keeps its id', async () => {
  const { ask } = await servedApi({ store: () => fakeStore() });
  const body = JSON.stringify({ id: 'other', expression: 'a == 1' });
  const headers = { 'content-type': 'application/json' };
  expect(await ask('/v1/log-groups/checkout', { method: 'PUT', headers, body })).toMatchObject({
    status: 400,
    body: { error: { problems: [{ path: 'id', message: 'must be the id in the path, checkout' }] } },
  });
});
