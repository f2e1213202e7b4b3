import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { RemoteExplain } from '../../src/collector/remote-explain.ts';
import { FakeClock, settle } from '../support/fake-clock.ts';

const EXPLANATION = { kind: 'not-read', path: '/a.log', reason: 'it is empty' };

function remote(explain: (subject: string, asker?: string) => Promise<object | undefined>) {
  const clock = new FakeClock();
  return { clock, remote: new RemoteExplain({ sources: () => [{ explain }], clock }) };
}

describe('an aggregator that asks about a file', () => {
  it('gets the explanation of the sources, made for an aggregator', async () => {
    const askers: (string | undefined)[] = [];
    const { remote: asked } = remote(async (_, asker) => {
      askers.push(asker);
      return EXPLANATION;
    });
    expect(await asked.answer({ id: 7, subject: '/a.log' })).toEqual({
      ...{ id: 7, refusal: '' },
      json: JSON.stringify(EXPLANATION),
    });
    expect(askers).toEqual(['aggregator']);
  });

  it('is refused when no source explains files', async () => {
    const { remote: asked } = remote(async () => undefined);
    expect(await asked.answer({ id: 1, subject: '/a.log' })).toMatchObject({
      json: '',
      refusal: expect.stringContaining('Cannot explain /a.log: this collector has no source for it.'),
    });
  });

  it('gets no details of a failure', async () => {
    const { remote: asked } = remote(() => Promise.reject(new Error(join('/home/anna', 'secret'))));
    expect(await asked.answer({ id: 1, subject: '/a.log' })).toEqual({
      ...{ id: 1, json: '', refusal: 'The collector failed to explain it.' },
    });
  });

  it('is refused at once while the collector looks at another file, also after the time is over', async () => {
    let release: (explanation: object) => void = () => {};
    const { clock, remote: asked } = remote(
      () =>
        new Promise((resolve) => {
          release = resolve;
        }),
    );
    const first = asked.answer({ id: 1, subject: '/hangs' });
    await settle();
    expect(await asked.answer({ id: 2, subject: '/a.log' })).toMatchObject({ id: 2, refusal: BUSY });
    await clock.advance(5_000);
    expect(await first).toMatchObject({ refusal: expect.stringContaining('no answer within 5 s') });
    expect(await asked.answer({ id: 3, subject: '/a.log' })).toMatchObject({ id: 3, refusal: BUSY });
    release(EXPLANATION);
    await settle();
    const last = asked.answer({ id: 4, subject: '/a.log' });
    release(EXPLANATION);
    expect(await last).toMatchObject({ id: 4, refusal: '' });
  });

  it('is refused for a path or an explanation that is too long', async () => {
    const { remote: asked } = remote(async () => ({ ...EXPLANATION, reason: 'x'.repeat(50_000) }));
    expect(await asked.answer({ id: 1, subject: `/${'x'.repeat(4096)}` })).toMatchObject({
      refusal: 'The path must have at most 4096 characters, got 4097.',
    });
    expect(await asked.answer({ id: 1, subject: '/a.log' })).toMatchObject({
      json: '',
      refusal: expect.stringMatching(/must have at most 48128 bytes, got 50\d\d\d/),
    });
  });
});

const BUSY = 'The collector is still answering an earlier request.';
