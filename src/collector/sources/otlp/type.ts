import { storedStatus } from '../../journal/channel-status.ts';
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
  parse: ({ otlpAddresses: short = [], otlpListeners: full = [], otlpJournalMaxBytes: journalMaxBytes }) => {
    const listeners = [...short, ...full];
    const repeated = repeatedAddress(listeners);
    return {
      configuration: listeners.length === 0 ? undefined : { listeners, journalMaxBytes },
      problems:
        repeated === undefined
          ? []
          : [{ variable: addressesVariable.name, message: `has ${repeated} twice` }],
      warnings: [...warningsOf(short, addressesVariable.name), ...warningsOf(full, listenersVariable.name)],
    };
  },
  open: async ({ listeners, journalMaxBytes }, environment) => {
    const { Journal } = await import('../../journal/journal.ts');
    const { OtlpSource } = await import('./otlp-source.ts');
    const { stateDirectory, store, resource, ...dependencies } = environment;
    const journal = await Journal.open({
      name: NAME,
      directory: stateDirectory,
      state: store,
      maxBytes: journalMaxBytes,
      lossRecord,
      ...dependencies,
    });
    return new OtlpSource({ listeners, journalMaxBytes, resource, journal, ...dependencies });
  },
  leftovers: async (store) => ({ streams: storedStatus(store, NAME) }),
};

/** Two listeners cannot have the same address. */
function repeatedAddress(listeners: readonly OtlpListenerConfiguration[]): string | undefined {
  const texts = listeners.map(({ listen }) => otlpAddressText(listen)).filter((text) => !text.endsWith(':0'));
  return texts.find((text, index) => texts.indexOf(text) !== index);
}

function warningsOf(listeners: readonly OtlpListenerConfiguration[], variable: string) {
  return listeners
    .filter(({ listen }) => isExposed(listen))
    .map(({ listen }) => ({
      variable,
      message: `${otlpAddressText(listen)} accepts unencrypted logs from other machines; use ${listen.transport}s where the senders support it`,
    }));
}
