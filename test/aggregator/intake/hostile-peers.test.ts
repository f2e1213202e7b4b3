import { randomBytes } from 'node:crypto';
import { connect } from 'node:net';
import { status } from '@grpc/grpc-js';
import { describe, expect, it, vi } from 'vitest';
import { checkOf } from '../../../src/records/check.ts';
import { encodeBatchRequest } from '../../../src/records/publish-codec.ts';
import type { RecordBatch } from '../../../src/records/record-batch.ts';
import { mintStreamId, streamIdToBytes } from '../../../src/records/stream-id.ts';
import { MemoryStream } from '../../support/memory-stream.ts';
import { RawPublishClient } from '../../support/raw-publish-client.ts';
import { recordBatch } from '../../support/record-batches.ts';
import { startIntake, startPublisher } from '../../support/wire-pair.ts';

const until = <T>(check: () => T) => vi.waitFor(check, { timeout: 15_000, interval: 10 });

const encoded = (sequence: number, batch: RecordBatch) =>
  encodeBatchRequest({
    sequence,
    endCheck: checkOf(batch.data),
    batch,
    data: { compression: 'none', bytes: batch.data },
  });

const open = (batch: RecordBatch) =>
  ({ $case: 'openStream', value: { stream: streamIdToBytes(batch.stream), accepted: 0n } }) as const;

/** An honest collector on the same aggregator comes through, whatever the other one does. */
async function othersAreUnharmed(address: string): Promise<void> {
  const { publisher } = await startPublisher([address]);
  const stream = new MemoryStream().append('honest\n');
  publisher.open(stream);
  await until(() => expect(stream.accepted).toBe(7));
}

describe('a hostile peer', () => {
  it.each<[string, Buffer]>([
    ['nothing', Buffer.alloc(0)],
    ['random bytes', randomBytes(1000)],
    ['a cut-off batch', encoded(1, recordBatch(['hello\n'])).subarray(0, 20)],
    ['a batch before the hello', encoded(1, recordBatch(['hello\n']))],
    ['5 MiB that are no batch', Buffer.alloc(5 * 1024 * 1024, 0x0a)],
  ])('that sends %s is told why, and the call ends', async (_, bytes) => {
    const { store, address } = await startIntake();
    const { code, details } = await new RawPublishClient(address).read().send(bytes).status;
    expect(code).toBe(status.INVALID_ARGUMENT);
    expect(details).not.toBe('');
    expect(store.batches).toHaveLength(0);
    await othersAreUnharmed(address);
  });

  it('that sends an oversized message is refused before it is read', async () => {
    const { address } = await startIntake();
    const { code } = await new RawPublishClient(address).read().send(Buffer.alloc(7 * 1024 * 1024)).status;
    expect(code).toBe(status.RESOURCE_EXHAUSTED);
    await othersAreUnharmed(address);
  });

  it('of another protocol version gets an error with both versions', async () => {
    const { address } = await startIntake();
    const { code, details } = await new RawPublishClient(address).read().hello(Buffer.alloc(16), 2).status;
    expect(code).toBe(status.FAILED_PRECONDITION);
    expect(details).toContain('protocol version 1');
  });

  it('whose sequence jumps is cut off', async () => {
    const { store, address } = await startIntake();
    const batch = recordBatch(['hello\n']);
    const { details } = await new RawPublishClient(address)
      .read()
      .hello()
      .send(open(batch))
      .send(encoded(2, batch)).status;
    expect(details).toBe('batch 2 follows batch 0');
    expect(store.batches).toHaveLength(0);
  });

  it('whose sizes do not add up, whose block is a bomb, or whose stream is not open gets a refusal each', async () => {
    const { store, address } = await startIntake();
    const batch = recordBatch(['hello\n']);
    const bomb = encodeBatchRequest({
      sequence: 2,
      endCheck: checkOf(batch.data),
      batch,
      data: { compression: 'lz4', bytes: Buffer.from([255, 255, 255, 255, 0, 0, 0, 0]) },
    });
    const client = new RawPublishClient(address).read().hello().send(open(batch));
    client.send(encoded(1, { ...batch, sizes: Uint32Array.from([5]) }));
    client.send(bomb);
    client.send(encoded(3, recordBatch(['not open\n'])));
    await until(() =>
      expect(client.responses.filter(({ $case }) => $case === 'refused').map(({ value }) => value)).toEqual([
        { sequence: 1n, reason: 'the record sizes add up to 5 where data_size says 6', cause: 0 },
        { sequence: 2n, reason: 'the LZ4 block claims 4294967295 bytes where data_size says 6', cause: 0 },
        { sequence: 3n, reason: 'the stream is not open on this call', cause: 0 },
      ]),
    );
    expect(store.batches).toHaveLength(0);
    await othersAreUnharmed(address);
  });

  it('whose bytes are not those of their check is refused', async () => {
    const { store, address } = await startIntake();
    const batch = recordBatch([`${'x'.repeat(80)}\n`]);
    const client = new RawPublishClient(address).read().hello().send(open(batch));
    const data = { compression: 'none', bytes: batch.data } as const;
    client.send(encodeBatchRequest({ sequence: 1, endCheck: checkOf(Buffer.from('others')), batch, data }));
    await until(() => expect(client.responses.at(-1)).toMatchObject({ $case: 'refused' }));
    expect(store.batches).toHaveLength(0);
  });

  it('whose positions go backwards is refused from there on; other streams of the call go on', async () => {
    const { store, address } = await startIntake();
    const batch = recordBatch(['hello\n'], { start: 10 });
    const other = recordBatch(['other\n']);
    const client = new RawPublishClient(address).read().hello().send(open(batch)).send(open(other));
    client
      .send(encoded(1, batch))
      .send(encoded(2, batch))
      .send(encoded(3, { ...batch, start: 16 }));
    client.send(encoded(4, other));
    await until(() => expect(store.batches).toHaveLength(2));
    await until(() =>
      expect(client.responses.filter(({ $case }) => $case === 'refused').map(({ value }) => value)).toEqual([
        { sequence: 2n, reason: 'the batch starts before the end of the previous one', cause: 0 },
        { sequence: 3n, reason: 'the batch starts before the end of the previous one', cause: 0 },
      ]),
    );
    expect(store.bytesOf(other.stream).toString()).toBe('other\n');
  });

  it('that opens streams without end is refused beyond the limit, said once in the log', async () => {
    const { address, lines } = await startIntake({ limits: { streamsPerCall: 100 } });
    const client = new RawPublishClient(address).read().hello();
    for (let i = 0; i < 1_000; i++) {
      const value = { stream: streamIdToBytes(mintStreamId()), accepted: 0n };
      client.send({ $case: 'openStream', value });
    }
    await until(() => expect(client.responses.length).toBeGreaterThan(1_000));
    const refused = client.responses.filter(
      ({ $case, value }) => $case === 'streamOpened' && value.refusal !== '',
    );
    expect(refused).toHaveLength(900);
    expect(lines.filter(({ msg }) => msg === 'Refused to open a stream')).toHaveLength(1);
    await othersAreUnharmed(address);
  });

  it('that never reads our answers is not read either', async () => {
    const { store, address } = await startIntake();
    const client = new RawPublishClient(address).hello();
    client.stream.pause();
    let sent = 0;
    for (let i = 0; i < 20_000; i++) {
      const value = { stream: streamIdToBytes(mintStreamId()), accepted: 0n };
      client.send({ $case: 'openStream', value });
      sent++;
    }
    expect(sent).toBe(20_000);
    await othersAreUnharmed(address);
    expect(store.batches).toHaveLength(1);
  });

  it('that talks something else than HTTP/2 is dropped', async () => {
    const { address } = await startIntake();
    const port = Number(address.split(':')[1]);
    const socket = connect(port, '127.0.0.1');
    const closed = new Promise<void>((resolve) => socket.on('close', () => resolve()));
    socket.on('error', () => {});
    socket.on('data', () => {});
    socket.write(randomBytes(4096));
    await closed;
    await othersAreUnharmed(address);
  });

  it('whose batches are refused without end gets one log line with a count, and its call ends', async () => {
    const { address, lines, intake } = await startIntake();
    const batch = recordBatch(['x\n'], { format: 'f'.repeat(65) });
    const client = new RawPublishClient(address).read().hello().send(open(batch));
    for (let sequence = 1; sequence <= 3_000; sequence++) client.send(encoded(sequence, batch));
    const { code, details } = await client.status;
    expect({ code, details }).toEqual({
      code: status.RESOURCE_EXHAUSTED,
      details: 'too many refusals on one call',
    });
    await othersAreUnharmed(address);
    await intake.stop(AbortSignal.timeout(1000));
    const refusals = lines.filter(({ msg }) => msg.startsWith('Refused a batch'));
    expect(refusals).toHaveLength(2);
    expect(refusals[1]).toMatchObject({ count: 1000 });
  });

  it('that declares streams of others final without end gets one log line, and its call ends', async () => {
    const { store, address, lines } = await startIntake();
    const client = new RawPublishClient(address).read().hello();
    for (let i = 0; i < 20_000; i++)
      client.send({ $case: 'finalStream', value: { stream: streamIdToBytes(mintStreamId()), end: 1n } });
    expect(await client.status).toMatchObject({ code: status.RESOURCE_EXHAUSTED });
    expect(lines.filter(({ msg }) => msg.startsWith('Ignored the final message'))).toHaveLength(1);
    expect(store.finals.size).toBe(0);
    await othersAreUnharmed(address);
  });

  it('that connects again and again does not fill the log', async () => {
    const { address, lines } = await startIntake();
    for (let i = 0; i < 60; i++) {
      const client = new RawPublishClient(address).read().send(Buffer.from('nonsense'));
      await client.status;
    }
    expect(lines.length).toBeLessThan(60);
    expect(lines.filter(({ msg }) => msg.startsWith('Ended a call because the peer broke'))).toHaveLength(1);
  });

  it('with a position out of range gets an error, and the call ends', async () => {
    const { address, metrics } = await startIntake();
    const value = { stream: streamIdToBytes(mintStreamId()), accepted: 2n ** 64n - 1n };
    const client = new RawPublishClient(address).read().hello().send({ $case: 'openStream', value });
    expect(await client.status).toMatchObject({ code: status.INVALID_ARGUMENT });
    await until(async () =>
      expect(await metrics.getSingleMetricAsString('aggregator_intake_calls')).toMatch(/ 0$/m),
    );
  });
});
