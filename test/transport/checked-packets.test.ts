import { expect, it } from 'vitest';
import { CheckedPackets } from '../../src/transport/checked-packets.ts';
import type { TransportFailure } from '../../src/transport/transport.ts';
import { MemoryTransport } from '../support/memory-transport.ts';

const DEAF = { reason: 'nothing is listening', code: 'ECONNREFUSED' };

function inMemory() {
  const transport = new MemoryTransport();
  const tooLate: TransportFailure[] = [];
  const packets = new CheckedPackets(transport, {
    pacing: { burst: 0 },
    onTooLate: (failure) => tooLate.push(failure),
  });
  return { transport, packets, tooLate };
}

const one = [Buffer.from('one')];

it('succeeds when the kernel accepted all packets and reported no error', async () => {
  const { transport, packets } = inMemory();
  expect(await packets.write([...one, Buffer.from('two')])).toBeUndefined();
  expect(await packets.check()).toBeUndefined();
  expect(transport.packets.map(String)).toEqual(['one', 'two']);
});

it('fails with the packet that fails, and sends none after it', async () => {
  const { transport, packets } = inMemory();
  transport.failWith = DEAF;
  expect(await packets.write([...one, ...one])).toEqual(DEAF);
  transport.failWith = undefined;
  expect(await packets.write(one)).toBeUndefined();
  expect(transport.packets).toHaveLength(1);
});

it('fails once when an error is reported before the check', async () => {
  const { transport, packets, tooLate } = inMemory();
  await packets.write(one);
  transport.lateFailure = DEAF;
  expect(await packets.check()).toEqual(DEAF);
  expect(await packets.check()).toBeUndefined();

  await packets.write(one);
  transport.lateFailure = DEAF;
  expect(await packets.write(one)).toEqual(DEAF);
  expect(tooLate).toEqual([]);
});

it('only reports an error that arrives after a successful check', async () => {
  const { transport, packets, tooLate } = inMemory();
  await packets.write(one);
  await packets.check();
  transport.lateFailure = DEAF;
  expect(await packets.write(one)).toBeUndefined();
  expect(await packets.check()).toBeUndefined();
  expect(tooLate).toEqual([DEAF]);
});

it('stops on abort', async () => {
  const { transport, packets } = inMemory();
  expect(await packets.write(one, AbortSignal.abort())).toEqual({ reason: 'aborted' });
  expect(transport.packets).toHaveLength(0);
});
