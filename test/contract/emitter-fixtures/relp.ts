import { RelpServer } from '../../support/relp-server.ts';
import { decodeRfc5424 } from '../../support/syslog-decoder.ts';
import type { EmitterFixture } from '../emitter-fixture.ts';

export const relpFixture: EmitterFixture = {
  type: 'relp',
  open: async () => {
    const server = await RelpServer.start();
    return {
      value: JSON.stringify({ address: `relp://127.0.0.1:${server.port}` }),
      bodies: async () => server.accepted.map((message) => decodeRfc5424(Buffer.from(message)).text),
      refuse: async () => {
        server.plan = { open: (connection) => connection.socket.destroy() };
        for (const { socket } of server.connections) socket.destroy();
        return async () => {
          server.plan = {};
        };
      },
    };
  },
};
