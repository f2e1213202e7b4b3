import type { Client } from 'pg';
import { describe, expect, test } from 'vitest';
import { CopyIn } from '../../../src/emitters/postgres/copy-in.ts';
import { MISSING, PostgresStand } from './postgres-stand.ts';

/** Lines of text, as a CopyData message. */
function frame(text: string): Buffer {
  const header = Buffer.of(0x64, 0, 0, 0, 0);
  header.writeUInt32BE(Buffer.byteLength(text) + 4, 1);
  return Buffer.concat([header, Buffer.from(text)]);
}

describe.skipIf(MISSING !== '')(`COPY ... FROM STDIN${MISSING}`, () => {
  const stand = PostgresStand.forSuite();

  async function opened(): Promise<Client> {
    const client = await stand.client('postgres');
    await client.query('create temporary table numbers (number int)');
    return client;
  }
  const copy = (client: Client, ...args: ConstructorParameters<typeof CopyIn>) => {
    const query = new CopyIn(...args);
    client.query(query);
    return query.done;
  };
  const sum = async (client: Client) =>
    (await client.query('select sum(number)::int as sum from numbers')).rows[0].sum;

  test('stores the written rows, in pieces of any size', async () => {
    const client = await opened();
    const rows = await copy(client, 'copy numbers from stdin', async (write) => {
      for (let number = 1; number <= 1000; number++) await write(frame(`${number}\n`));
      await write(frame('5\n6'));
      await write(frame('7\n'));
    });
    expect(rows).toBe(1002);
    expect(await sum(client)).toBe(500_500 + 5 + 67);
  });

  test('waits for the server instead of buffering all rows', async () => {
    const client = await opened();
    let largestBytes = 0;
    await copy(client, 'copy numbers from stdin', async (write) => {
      const many = frame('1\n'.repeat(100_000));
      for (let round = 0; round < 30; round++) {
        await write(many);
        largestBytes = Math.max(largestBytes, client.connection.stream.writableLength);
      }
    });
    expect(largestBytes).toBeLessThan(1_000_000);
    expect(await sum(client)).toBe(3_000_000);
  });

  test('fails when encoding fails; the connection stays usable', async () => {
    const client = await opened();
    const failed = copy(client, 'copy numbers from stdin', async (write) => {
      await write(frame('1\n'));
      throw new Error('no more numbers');
    });
    await expect(failed).rejects.toThrow('no more numbers');
    expect(await sum(client)).toBe(null);
  });

  test('fails when the server reports an error, before or during the COPY', async () => {
    const client = await opened();
    await expect(copy(client, 'copy nothing from stdin', async () => {})).rejects.toMatchObject({
      code: '42P01',
    });
    let writes = 0;
    const refused = copy(client, 'copy numbers from stdin', async (write) => {
      for (; writes < 100_000; writes++) await write(frame(`${'x\n'.repeat(10_000)}`));
    });
    await expect(refused).rejects.toMatchObject({ code: '22P02' });
    expect(writes).toBeLessThan(100_000);
    expect(await sum(client)).toBe(null);
  });

  test('fails when the connection ends', async () => {
    const client = await opened();
    const { rows } = await client.query<{ pid: number }>('select pg_backend_pid() as pid');
    const lost = copy(client, 'copy numbers from stdin', async (write) => {
      await write(frame('1\n'));
      await stand.server.sql(`select pg_terminate_backend(${rows[0]?.pid})`);
      for (;;) await write(frame('1\n'.repeat(100_000)));
    });
    await expect(lost).rejects.toThrow(/terminat|reset|EPIPE/i);
  });
});
