import { lossRecord } from '../../src/collector/sources/otlp/loss-record.ts';
import { OtlpSource } from '../../src/collector/sources/otlp/otlp-source.ts';
import { otlpSourceType } from '../../src/collector/sources/otlp/type.ts';
import { type OpenedOptions, openedRequestSource } from './opened-request-source.ts';

export { PATIENT } from './opened-request-source.ts';

/** A running source `otlp` with these listeners, and everything that an aggregator takes from it. */
export function openedOtlpSource(listeners: readonly object[], options?: OpenedOptions) {
  const source = {
    ...{ type: otlpSourceType, variable: 'COLLECTOR_OTLP_CONFIGURATION', lossRecord },
    create: (own: ConstructorParameters<typeof OtlpSource>[0]) => new OtlpSource(own),
  };
  return openedRequestSource(source, listeners, options);
}
