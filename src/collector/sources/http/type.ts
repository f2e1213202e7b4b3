import { storedStatus } from '../../journal/channel-status.ts';
import type { SourceType } from '../source-type.ts';
import { httpAddressText, isExposed } from './listen-address.ts';
import type { HttpListenerConfiguration } from './listener-configuration.ts';
import { lossRecord } from './loss-record.ts';
import { HTTP_SOURCE_VARIABLES } from './variables.ts';

/** Records that clients push over HTTP. */
export interface HttpSourceConfiguration {
  readonly listeners: readonly HttpListenerConfiguration[];
  readonly journalMaxBytes: number;
}

const NAME = 'http';
const { httpAddresses: addressesVariable, httpListeners: listenersVariable } = HTTP_SOURCE_VARIABLES;

export const httpSourceType: SourceType<HttpSourceConfiguration, typeof HTTP_SOURCE_VARIABLES> = {
  name: NAME,
  variables: HTTP_SOURCE_VARIABLES,
  enabledBy: [addressesVariable.name, listenersVariable.name],
  parse: ({ httpAddresses: short = [], httpListeners: full = [], httpJournalMaxBytes: journalMaxBytes }) => {
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
    const { HttpSource } = await import('./http-source.ts');
    const { stateDirectory, store, resource, ...dependencies } = environment;
    const journal = await Journal.open({
      name: NAME,
      directory: stateDirectory,
      state: store,
      maxBytes: journalMaxBytes,
      lossRecord,
      ...dependencies,
    });
    return new HttpSource({ listeners, journalMaxBytes, resource, journal, ...dependencies });
  },
  leftovers: async (store) => ({ streams: storedStatus(store, NAME) }),
};

/** Two listeners cannot have the same address. */
function repeatedAddress(listeners: readonly HttpListenerConfiguration[]): string | undefined {
  const texts = listeners.map(({ listen }) => httpAddressText(listen)).filter((text) => !text.endsWith(':0'));
  return texts.find((text, index) => texts.indexOf(text) !== index);
}

function warningsOf(listeners: readonly HttpListenerConfiguration[], variable: string) {
  return listeners
    .filter(({ listen }) => isExposed(listen))
    .flatMap((each) => riskOf(each))
    .map((risk) => ({ variable, message: risk }));
}

function riskOf({ listen, tokenFile, tls }: HttpListenerConfiguration): readonly string[] {
  const text = httpAddressText(listen);
  if (tls === undefined)
    return [
      `${text} accepts unencrypted records from other machines; use https where the clients support it`,
    ];
  if (tokenFile !== undefined || tls.clientCertificate === 'required') return [];
  return [`${text} accepts records from every machine; set token_file or ca_file`];
}
