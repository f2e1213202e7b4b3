import { HttpSource } from '../../src/collector/sources/http/http-source.ts';
import { lossRecord } from '../../src/collector/sources/http/loss-record.ts';
import { httpSourceType } from '../../src/collector/sources/http/type.ts';
import { type OpenedOptions, openedRequestSource } from './opened-request-source.ts';

export { PATIENT } from './opened-request-source.ts';

/** A running source `http` with these listeners, and everything that an aggregator takes from it. */
export function openedHttpSource(listeners: readonly object[], options?: OpenedOptions) {
  const source = {
    ...{ type: httpSourceType, variable: 'COLLECTOR_HTTP_CONFIGURATION', lossRecord },
    create: (own: ConstructorParameters<typeof HttpSource>[0]) => new HttpSource(own),
  };
  return openedRequestSource(source, listeners, options);
}
