import { expect, it } from 'vitest';
import { checkOf } from '../../../../src/records/check.ts';
import { recordBatch } from '../../../support/record-batches.ts';
import { numbered, Tailing } from './tailing.ts';

it('keeps its totals when another collector with a copy of the state ends a stream', async () => {
  const tail = await Tailing.start();
  const totals = () => {
    const { readBytes, acceptedBytes, waitingBytes } = tail.source.status();
    return { readBytes, acceptedBytes, waitingBytes };
  };
  for (const generation of [0, 1]) {
    await tail.append('a.log', numbered(20 * generation, 10));
    await tail.turn();
    await tail.stop();
    // A clone of this state has continued with other bytes.
    const own = tail.taken.streamIds.at(-1);
    if (own === undefined) throw new Error('No stream');
    const data = Buffer.from(
      'the bytes of another machine, long enough to be compared as evidence for them\n',
    );
    const { end } = tail.taken.known(own);
    const before = Buffer.from(numbered(0, 20 * generation + 10));
    tail.taken.take(recordBatch([data], { stream: own, start: end }), checkOf(Buffer.concat([before, data])));
    await tail.append('a.log', numbered(20 * generation + 10, 10));
    await tail.start();
    await tail.turn();
    const bytes = numbered(0, 20 * generation + 20).length;
    expect(totals()).toEqual({ readBytes: bytes, acceptedBytes: bytes, waitingBytes: 0 });
  }
  await tail.restart();
  const bytes = numbered(0, 40).length;
  expect(totals()).toEqual({ readBytes: bytes, acceptedBytes: bytes, waitingBytes: 0 });
});
