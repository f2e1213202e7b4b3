import { storedStatus } from '../../journal/channel-status.ts';
import { openSourceJournal } from '../open-source-journal.ts';
import { parsedListeners } from '../parsed-listeners.ts';
import type { SourceType } from '../source-type.ts';
import { isExposed, otlpAddressText } from './listen-address.ts';
import type { OtlpListenerConfiguration } from './listener-configuration.ts';
import { lossRecord } from './loss-record.ts';
import { OTLP_SOURCE_VARIABLES } from './variables.ts';

/** Logs of OpenTelemetry over gRPC and HTTP. */
export interface OtlpSourceConfiguration {
  readonly listeners: readonly OtlpListenerConfiguration[];
  readonly journalMaxBytes: number;
}

const NAME = 'otlp';
const { otlpAddresses: addressesVariable, otlpListeners: listenersVariable } = OTLP_SOURCE_VARIABLES;

export const otlpSourceType: SourceType<OtlpSourceConfiguration, typeof OTLP_SOURCE_VARIABLES> = {
  name: NAME,
  variables: OTLP_SOURCE_VARIABLES,
  enabledBy: [addressesVariable.name, listenersVariable.name],
  parse: ({ otlpAddresses: short = [], otlpListeners: full = [], otlpJournalMaxBytes: journalMaxBytes }) =>
    parsedListeners({
      short: { variable: addressesVariable.name, listeners: short },
      full: { variable: listenersVariable.name, listeners: full },
      journalMaxBytes,
      addressText: ({ listen }) => otlpAddressText(listen),
      risksOf,
    }),
  open: async ({ listeners, journalMaxBytes }, environment) => {
    const { OtlpSource } = await import('./otlp-source.ts');
    const journal = await openSourceJournal(
      { name: NAME, maxBytes: journalMaxBytes, lossRecord },
      environment,
    );
    return new OtlpSource({ listeners, journalMaxBytes, journal, ...environment });
  },
  leftovers: async (store) => ({ streams: storedStatus(store, NAME) }),
};

function risksOf({ listen }: OtlpListenerConfiguration): readonly string[] {
  if (!isExposed(listen)) return [];
  return [
    `${otlpAddressText(listen)} accepts unencrypted logs from other machines; use ${listen.transport}s where the senders support it`,
  ];
}
