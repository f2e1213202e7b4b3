import { OtlpReceiver } from '../../support/otlp-receiver.ts';
import type { EmitterFixture } from '../emitter-fixture.ts';

export const otlpFixture: EmitterFixture = {
  type: 'otlp',
  open: async () => {
    const receiver = await OtlpReceiver.start();
    return {
      value: JSON.stringify({ endpoint: `http://127.0.0.1:${receiver.port}` }),
      bodies: async () => receiver.bodies,
      refuse: async () => {
        receiver.answer = () => ({ status: 503 });
        return async () => {
          receiver.answer = () => ({});
        };
      },
    };
  },
};
