import { type ChannelCredentials, credentials } from '@grpc/grpc-js';
import { describe, expect, it, vi } from 'vitest';
import { checkOf } from '../../../src/records/check.ts';
import { encodeBatchRequest } from '../../../src/records/publish-codec.ts';
import { mintStreamId, streamIdToBytes } from '../../../src/records/stream-id.ts';
import { TlsServerCredentials } from '../../../src/runtime/tls-server-credentials.ts';
import { queueFixture } from '../../storage/queue-fixture.ts';
import { CertificateAuthority } from '../../support/certificate-authority.ts';
import { grpcClientCredentials } from '../../support/grpc-client-credentials.ts';
import { RawPublishClient } from '../../support/raw-publish-client.ts';
import { recordBatch } from '../../support/record-batches.ts';
import { callsOf, startIntake } from '../../support/wire-pair.ts';

const until = <T>(check: () => T) => vi.waitFor(check, { timeout: 15_000, interval: 10 });
const ANNA = Buffer.alloc(16, 0xaa);
const EVE = Buffer.alloc(16, 0xee);

/** The credentials of the server, and of the two collectors. */
async function credentialsOf(kind: 'plain' | 'mutual TLS') {
  if (kind === 'plain') return { anna: credentials.createInsecure(), eve: credentials.createInsecure() };
  const authority = await CertificateAuthority.create();
  const issue = async (name: string) => await authority.issue({ name });
  return {
    server: new TlsServerCredentials(await issue('aggregator')),
    anna: grpcClientCredentials(await issue('anna')),
    eve: grpcClientCredentials(await issue('eve')),
  };
}

describe.each(['plain', 'mutual TLS'] as const)('a stream of another collector (%s)', (kind) => {
  async function peers(evesId = EVE) {
    const { server, anna, eve } = await credentialsOf(kind);
    const { queue } = await queueFixture();
    const { intake, lines, metrics } = await startIntake({ queue, ...(server && { credentials: server }) });
    const stream = mintStreamId();
    const peer = (id: Buffer, channel: ChannelCredentials) => {
      const client = new RawPublishClient(`localhost:${intake.port}`, channel).read().hello(id);
      let sequence = 0;
      return {
        client,
        last: () => client.responses.at(-1),
        open: () =>
          client.send({ $case: 'openStream', value: { stream: streamIdToBytes(stream), accepted: 0n } }),
        final: () =>
          client.send({ $case: 'finalStream', value: { stream: streamIdToBytes(stream), end: 0n } }),
        batch: (text: string) => {
          const batch = recordBatch([text], { stream });
          const data = { compression: 'none', bytes: batch.data } as const;
          client.send(
            encodeBatchRequest({ sequence: ++sequence, endCheck: checkOf(batch.data), batch, data }),
          );
        },
        // The answer to a second opening shows that what came before it was processed.
        reopened: async (times: number) =>
          await until(() =>
            expect(client.responses.filter(({ $case }) => $case === 'streamOpened')).toHaveLength(times),
          ),
      };
    };
    return { queue, lines, metrics, stream, anna: peer(ANNA, anna), eve: peer(evesId, eve) };
  }

  it('is not released by a final message, and its owner writes on', async () => {
    const { anna, eve, queue, stream, lines } = await peers();
    anna.open();
    await anna.reopened(1);
    eve.final();
    eve.open();
    await eve.reopened(1);
    expect(eve.last()).toMatchObject({ value: { refusal: 'the stream belongs to another collector' } });
    eve.final();
    eve.open();
    await eve.reopened(2);
    expect(eve.last()).toMatchObject({ value: { refusal: 'the stream belongs to another collector' } });
    eve.batch('forged\n');
    await until(() => expect(eve.last()).toMatchObject({ $case: 'refused' }));
    anna.batch('true\n');
    await until(() => expect(anna.last()).toMatchObject({ $case: 'accepted' }));
    const entry = await (await queue.openCursor('audit', 'oldest')).read(1);
    expect(entry?.batch).toMatchObject({ stream, data: Buffer.from('true\n') });
    expect(lines.filter(({ msg }) => /Ignored the final message/.test(msg))).toHaveLength(1);
  });

  it('is refused at the commit when its claim was evicted and another collector wrote first', async () => {
    const { anna, eve, queue } = await peers();
    anna.open();
    await anna.reopened(1);
    const owner = { collectorId: 'f'.repeat(32), tlsSubject: undefined };
    for (let i = 0; i < 131_072; i++) queue.ledger.open(mintStreamId(), owner);
    eve.open();
    await eve.reopened(1);
    eve.batch('first\n');
    await until(() => expect(eve.last()).toMatchObject({ $case: 'accepted' }));
    anna.batch('second\n');
    await until(() => expect(anna.last()).toMatchObject({ $case: 'refused', value: { cause: 0 } }));
    expect(queue.balance().accepted.records).toBe(1);
  });
});

it('a collector id with another certificate does not get the streams of the first', async () => {
  const authority = await CertificateAuthority.create();
  const server = new TlsServerCredentials(await authority.issue({ name: 'aggregator' }));
  const { queue } = await queueFixture();
  const { intake, metrics } = await startIntake({ queue, credentials: server });
  const stream = mintStreamId();
  const open = {
    $case: 'openStream',
    value: { stream: streamIdToBytes(stream), accepted: 0n },
  } as const;
  const connect = async (name: string) =>
    new RawPublishClient(`localhost:${intake.port}`, grpcClientCredentials(await authority.issue({ name })))
      .read()
      .hello(ANNA)
      .send(open);
  const anna = await connect('anna');
  await until(() => expect(anna.responses.at(-1)).toMatchObject({ $case: 'streamOpened' }));
  const batch = recordBatch(['mine\n'], { stream });
  const data = { compression: 'none', bytes: batch.data } as const;
  anna.send(encodeBatchRequest({ sequence: 1, endCheck: checkOf(batch.data), batch, data }));
  await until(() => expect(anna.responses.at(-1)).toMatchObject({ $case: 'accepted' }));
  anna.stream.cancel();
  await anna.status;
  await until(async () => expect(await callsOf(metrics)).toBe(0));
  const eve = await connect('eve');
  await until(() =>
    expect(eve.responses.at(-1)).toMatchObject({
      value: { refusal: 'the stream belongs to another collector' },
    }),
  );
});
