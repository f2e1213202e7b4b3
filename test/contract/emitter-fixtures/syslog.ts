import { StreamReceiver } from '../../support/stream-receiver.ts';
import { decodeOctetFrames, decodeRfc5424 } from '../../support/syslog-decoder.ts';
import type { EmitterFixture } from '../emitter-fixture.ts';

export const syslogFixture: EmitterFixture = {
  type: 'syslog',
  open: async () => {
    const receiver = await StreamReceiver.start();
    return {
      value: JSON.stringify({ address: `tcp://127.0.0.1:${receiver.port}` }),
      bodies: async () =>
        receiver.connections.flatMap((bytes) =>
          decodeOctetFrames(bytes).map((frame) => decodeRfc5424(frame).text),
        ),
    };
  },
};
