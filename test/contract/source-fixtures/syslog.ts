import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { join } from 'node:path';
import { vi } from 'vitest';
import { formatNamed } from '../../../src/formats/registry.ts';
import { forEachRecord } from '../../../src/records/record-batch.ts';
import type { SourceFixture } from '../source-fixture.ts';

const PATIENT = { timeout: 20_000, interval: 20 };

export const syslogFixture: SourceFixture = {
  name: 'syslog',
  open: async (directory) => {
    const path = join(directory, 'syslog.sock');
    let socket: Socket | undefined;
    return {
      environment: { COLLECTOR_SYSLOG: `unix://${path}` },
      write: async (records) => {
        if (socket === undefined || socket.closed || socket.readableEnded)
          socket = await vi.waitFor(() => connected(path), PATIENT);
        const { length } = records;
        for (const [index, record] of records.entries()) {
          const message = `<13>${record}`;
          socket.write(index * 2 < length ? `${message}\n` : `${message.length} ${message}`);
        }
      },
      texts: (batch) => {
        const texts: string[] = [];
        forEachRecord(batch, (bytes) => void texts.push(formatNamed(batch.format).parse(bytes, batch).body));
        return texts;
      },
    };
  },
};

async function connected(path: string): Promise<Socket> {
  const socket = connect({ path });
  socket.on('error', () => {});
  socket.resume();
  await once(socket, 'connect');
  return socket;
}
