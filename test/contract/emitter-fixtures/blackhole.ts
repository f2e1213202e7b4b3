import type { EmitterFixture } from '../emitter-fixture.ts';

export const blackholeFixture: EmitterFixture = {
  type: 'blackhole',
  open: async () => ({ value: '{}' }),
};
