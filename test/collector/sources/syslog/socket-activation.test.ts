import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { connect, createServer } from 'node:net';
import { join } from 'node:path';
import { describe, expect, it, onTestFinished, vi } from 'vitest';
import { productIsBuilt } from '../../../../testkit/product.ts';
import { testProduct } from '../../../support/processes.ts';
import { temporaryDirectory } from '../../../support/temporary-directory.ts';
import { openedSource } from './opened-source.ts';

const ACTIVATE = '/usr/bin/systemd-socket-activate';
const SLOW = { timeout: 30_000, interval: 50 };

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  server.close();
  await once(server, 'close');
  return typeof address === 'object' && address !== null ? address.port : 0;
}

describe.skipIf(!existsSync(ACTIVATE) || !productIsBuilt())(
  'a socket of systemd',
  { timeout: 60_000 },
  () => {
    it.each(['udp', 'tcp'])('receives %s messages that were sent before the start', async (transport) => {
      const [port, httpPort] = [await freePort(), await freePort()];
      const name = `syslog-${transport}`;
      const env = {
        COLLECTOR_STATE_DIRECTORY: join(await temporaryDirectory(), 'collector'),
        COLLECTOR_SYSLOG: `${transport}://fd:${name}`,
        COLLECTOR_HTTP_ADDRESS: `127.0.0.1:${httpPort}`,
        COLLECTOR_AGGREGATOR_ADDRESS: '127.0.0.1:1',
      };
      const passed = [...Object.keys(env), 'PATH'].map((each) => `--setenv=${each}`);
      const kind = transport === 'udp' ? ['--datagram'] : [];
      let log = '';
      const collector = testProduct({
        subcommand: 'collector',
        wrapper: [ACTIVATE, ...kind, ...passed, `--listen=127.0.0.1:${port}`, `--fdname=${name}`],
        env,
        onStderr: (chunk) => {
          log += chunk.toString();
        },
      });
      await vi.waitFor(() => expect(log).toContain('Listening on'), SLOW);
      await send(transport, port);
      await vi.waitFor(async () => {
        if (collector.exit !== undefined) throw new Error(log);
        const metrics = await (await fetch(`http://127.0.0.1:${httpPort}/metrics`)).text();
        expect(metrics).toContain(`collector_syslog_records_total{listener="${transport}://fd:${name}"} 1\n`);
      }, SLOW);
    });
  },
);

async function send(transport: string, port: number): Promise<void> {
  if (transport === 'udp') {
    const socket = createSocket('udp4');
    await new Promise((resolve) => socket.send('<13>one', port, '127.0.0.1', resolve));
    socket.close();
    return;
  }
  const socket = connect({ port, host: '127.0.0.1' });
  onTestFinished(() => void socket.destroy());
  await once(socket, 'connect');
  socket.write('<13>one\n');
}

it('names the sockets that were passed if the configured one is missing', async () => {
  await expect(openedSource([{ listen: 'udp://fd:syslog-udp' }])).rejects.toThrow(
    'Cannot listen at udp://fd:syslog-udp: systemd must pass exactly one socket with this name, got 0',
  );
});
