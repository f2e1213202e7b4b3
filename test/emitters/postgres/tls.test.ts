import { chmodSync, chownSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { freePort } from '../../../testkit/free-ports.ts';
import { CertificateAuthority } from '../../support/certificate-authority.ts';
import { recordBatch } from '../../support/record-batches.ts';
import { MISSING, PostgresStand, store } from './postgres-stand.ts';

const port = await freePort();

describe.skipIf(MISSING !== '')(`PostgreSQL by TLS${MISSING}`, () => {
  const stand = PostgresStand.forSuite({ listen_addresses: '127.0.0.1', port: String(port) });

  async function secured() {
    const authority = await CertificateAuthority.create();
    const { certificate, key } = await authority.issue({ name: 'localhost' });
    const { server } = stand;
    const { uid, gid } = statSync(server.socketDirectory);
    const files = { 'server.crt': certificate, 'server.key': key };
    for (const [name, text] of Object.entries(files)) {
      const path = join(server.socketDirectory, 'data', name);
      writeFileSync(path, text);
      chownSync(path, uid, gid);
      chmodSync(path, 0o600);
    }
    await server.sql('alter system set ssl = on;');
    await server.sql('select pg_reload_conf()');
    const database = await stand.createDatabase();
    // A reload is noticed when it is noticed.
    await expect.poll(() => server.sql('show ssl')).toBe('on\n');
    return { ca: authority.certificate, address: { database, host: '127.0.0.1', port } };
  }

  async function outcomeOf(settings: Readonly<Record<string, unknown>>) {
    return await store(await stand.emitter(settings), recordBatch(['one\n']));
  }

  test('connects only to a server with a valid certificate', async () => {
    const { ca, address } = await secured();
    expect(await outcomeOf({ ...address, ssl: 'verify-full', ca })).toEqual({ kind: 'delivered' });
    const client = await stand.client(address.database);
    const { rows } = await client.query(
      `select bool_and(ssl) as ssl from pg_stat_ssl join pg_stat_activity using (pid) where application_name = 'mega-collector'`,
    );
    expect(rows).toEqual([{ ssl: true }]);

    const other = await CertificateAuthority.create('Somebody Else');
    expect(await outcomeOf({ ...address, ssl: 'verify-full', ca: other.certificate })).toMatchObject({
      kind: 'retry',
      reason: expect.stringMatching(/certificate/),
    });
    expect(await outcomeOf({ ...address, ssl: 'verify-full' })).toMatchObject({ kind: 'retry' });
    expect(await outcomeOf({ ...address, ssl: 'require' })).toEqual({ kind: 'delivered' });
  });

  test('does not fall back to plain text for a server without TLS', async () => {
    await stand.server.sql('alter system set ssl = off;');
    await stand.server.sql('select pg_reload_conf()');
    await expect.poll(() => stand.server.sql('show ssl')).toBe('off\n');
    const address = { database: await stand.createDatabase(), host: '127.0.0.1', port };
    expect(await outcomeOf({ ...address, ssl: 'require' })).toMatchObject({
      kind: 'retry',
      reason: expect.stringMatching(/does not support SSL/),
    });
  });
});
