import { joinParts } from '../../support/logplex-decoder.ts';
import { LogplexEndpoint } from '../../support/logplex-endpoint.ts';
import type { EmitterFixture } from '../emitter-fixture.ts';

export const logplexFixture: EmitterFixture = {
  type: 'logplex',
  open: async () => {
    const endpoint = await LogplexEndpoint.start();
    return {
      value: JSON.stringify({ url: endpoint.url(), ordered: true }),
      bodies: async () => joinParts(endpoint.texts()),
      refuse: async () => {
        endpoint.behaviour = () => ({ status: 503 });
        return async () => {
          endpoint.behaviour = () => undefined;
        };
      },
    };
  },
};
