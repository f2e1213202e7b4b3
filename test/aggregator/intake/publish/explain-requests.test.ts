import { expect, it } from 'vitest';
import { ExplainRequests } from '../../../../src/aggregator/intake/publish/explain-requests.ts';
import type { Explain } from '../../../../src/records/gen/megacollector/v1/aggregator.ts';
import { FakeClock } from '../../../support/fake-clock.ts';

function opened() {
  const clock = new FakeClock();
  const sent: Explain[] = [];
  return { clock, sent, requests: new ExplainRequests({ clock, send: (request) => sent.push(request) }) };
}

it('resolves with the answer to its own request', async () => {
  const { sent, requests } = opened();
  const result = requests.ask('/a.log');
  requests.answered({ id: 99, json: '{"of":"another"}', refusal: '' });
  requests.answered({ id: 1, json: '{"kind":"not-read"}', refusal: '' });
  expect(await result).toEqual({ kind: 'explained', json: '{"kind":"not-read"}' });
  expect(sent).toEqual([{ id: 1, subject: '/a.log' }]);
});

it('resolves with the reason of a refusal, at a limited length', async () => {
  const { requests } = opened();
  const result = requests.ask('/a.log');
  requests.answered({ id: 1, json: '', refusal: 'x'.repeat(5_000) });
  expect(await result).toEqual({ kind: 'refused', reason: 'x'.repeat(1024) });
});

it('sends one request at a time', async () => {
  const { sent, requests } = opened();
  const first = requests.ask('/a.log');
  expect(await requests.ask('/b.log')).toEqual({ kind: 'busy' });
  requests.answered({ id: 1, json: '', refusal: 'no' });
  await first;
  void requests.ask('/c.log');
  expect(sent.map(({ subject }) => subject)).toEqual(['/a.log', '/c.log']);
});

it('waits 10 seconds for an answer, and ignores a later one', async () => {
  const { clock, requests } = opened();
  const result = requests.ask('/a.log');
  await clock.advance(10_000);
  expect(await result).toEqual({ kind: 'timed-out' });
  const second = requests.ask('/b.log');
  requests.answered({ id: 1, json: '{"of":"the first"}', refusal: '' });
  requests.answered({ id: 2, json: '{"of":"the second"}', refusal: '' });
  expect(await second).toEqual({ kind: 'explained', json: '{"of":"the second"}' });
});

it('ends with the call', async () => {
  const { sent, requests } = opened();
  const result = requests.ask('/a.log');
  requests.end();
  expect(await result).toEqual({ kind: 'disconnected' });
  expect(await requests.ask('/b.log')).toEqual({ kind: 'disconnected' });
  expect(sent).toHaveLength(1);
});
