import { capturedOutput } from '../../support/emitter-environment.ts';
import type { EmitterFixture } from '../emitter-fixture.ts';

export const textFixture: EmitterFixture = {
  type: 'text',
  open: async () => {
    const stdout = capturedOutput();
    return {
      value: '1',
      stdout,
      bodies: async () => stdout.bytes().toString().split('\n').slice(0, -1),
    };
  },
};
