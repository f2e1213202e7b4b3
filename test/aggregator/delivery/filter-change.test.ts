import { expect, it } from 'vitest';
import { DELIVERED, retry } from '../../../src/emitters/outcome.ts';
import { ChainBench, ten } from './chain-bench.ts';

const FILTER = { name: 'new', file: '/new.filter', text: '' };

/** Notes what was committed and emitted when the filter changes. */
function bench() {
  const made = new ChainBench();
  const changes: { readonly filter: string | undefined; readonly emits: number; readonly at: number }[] = [];
  Object.assign(made.emitter, {
    useFilter: async (filter: typeof FILTER | undefined) => {
      changes.push({
        filter: filter?.name,
        emits: made.emitter.emits.length,
        at: made.cursor.committed.entry,
      });
    },
  });
  return { made, changes };
}

it('changes the filter at once while nothing is in progress', async () => {
  const { made, changes } = bench();
  const chain = await made.started();
  const used = chain.useFilter(FILTER);
  await made.clock.advance(0);
  await used;
  expect(changes).toEqual([{ filter: 'new', emits: 0, at: 1 }]);
  await made.stop(chain);
});

it('keeps the filter of a batch until the batch is committed', async () => {
  const { made, changes } = bench();
  let isBusy = true;
  made.emitter.onEmit = () => (isBusy ? retry('busy') : DELIVERED);
  const chain = await made.started();
  made.append(ten('a'));
  await made.clock.advance(100);
  const used = chain.useFilter(FILTER);
  await made.clock.advance(60_000);
  expect(changes).toEqual([]);
  isBusy = false;
  await made.clock.advance(600_000);
  await used;
  expect(changes).toMatchObject([{ filter: 'new', at: 2 }]);
  await made.stop(chain);
});

it('keeps the filter until all batches of a failed flush are committed', async () => {
  const { made, changes } = bench();
  let isBusy = true;
  made.emitter.onFlush = () => (isBusy ? retry('busy') : DELIVERED);
  const chain = await made.started();
  made.append(ten('a'));
  made.append(ten('b'));
  await made.clock.advance(100);
  const used = chain.useFilter(FILTER);
  await made.clock.advance(60_000);
  expect(changes).toEqual([]);
  isBusy = false;
  await made.clock.advance(600_000);
  await used;
  expect(changes).toMatchObject([{ filter: 'new', at: 3 }]);
  await made.stop(chain);
});
