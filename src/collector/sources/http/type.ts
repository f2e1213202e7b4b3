import { storedStatus } from '../../journal/channel-status.ts';
import { openSourceJournal } from '../open-source-journal.ts';
import { parsedListeners } from '../parsed-listeners.ts';
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
  parse: ({ httpAddresses: short = [], httpListeners: full = [], httpJournalMaxBytes: journalMaxBytes }) =>
    parsedListeners({
      short: { variable: addressesVariable.name, listeners: short },
      full: { variable: listenersVariable.name, listeners: full },
      journalMaxBytes,
      addressText: ({ listen }) => httpAddressText(listen),
      risksOf,
    }),
  open: async ({ listeners, journalMaxBytes }, environment) => {
    const { HttpSource } = await import('./http-source.ts');
    const journal = await openSourceJournal(
      { name: NAME, maxBytes: journalMaxBytes, lossRecord },
      environment,
    );
    return new HttpSource({ listeners, journalMaxBytes, journal, ...environment });
  },
  leftovers: async (store) => ({ streams: storedStatus(store, NAME) }),
};

function risksOf({ listen, tokenFile, tls }: HttpListenerConfiguration): readonly string[] {
  if (!isExposed(listen)) return [];
  const text = httpAddressText(listen);
  if (tls === undefined)
    return [
      `${text} accepts unencrypted records from other machines; use https where the clients support it`,
    ];
  if (tokenFile !== undefined || tls.clientCertificate === 'required') return [];
  return [`${text} accepts records from every machine; set token_file or ca_file`];
}
