import { decodeStream } from '../../support/gelf-decoder.ts';
import { StreamReceiver } from '../../support/stream-receiver.ts';
import type { EmitterFixture } from '../emitter-fixture.ts';

export const gelfFixture: EmitterFixture = {
  type: 'gelf',
  open: async () => {
    const receiver = await StreamReceiver.start();
    return {
      value: JSON.stringify({ address: `tcp://127.0.0.1:${receiver.port}` }),
      bodies: async () =>
        receiver.connections
          .flatMap((bytes) => decodeStream(bytes, 0).messages)
          .map((message) => String(message.short_message)),
    };
  },
};
