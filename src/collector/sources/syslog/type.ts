import { storedStatus } from '../../journal/channel-status.ts';
import { openSourceJournal } from '../open-source-journal.ts';
import { parsedListeners } from '../parsed-listeners.ts';
import type { SourceType } from '../source-type.ts';
import { isExposed, listenText } from './listen-address.ts';
import type { ListenerConfiguration } from './listener-configuration.ts';
import { lossRecord } from './loss-record.ts';
import { SYSLOG_VARIABLES } from './variables.ts';

/** Syslog over UDP, TCP, TLS, RELP and Unix sockets. */
export interface SyslogConfiguration {
  readonly listeners: readonly ListenerConfiguration[];
  readonly journalMaxBytes: number;
}

const NAME = 'syslog';
const { addresses, configuration: configurationVariable } = SYSLOG_VARIABLES;

export const syslogType: SourceType<SyslogConfiguration, typeof SYSLOG_VARIABLES> = {
  name: NAME,
  variables: SYSLOG_VARIABLES,
  enabledBy: [addresses.name, configurationVariable.name],
  parse: ({ addresses: short = [], configuration: full = [], syslogJournalMaxBytes: journalMaxBytes }) =>
    parsedListeners({
      short: { variable: addresses.name, listeners: short },
      full: { variable: configurationVariable.name, listeners: full },
      journalMaxBytes,
      addressText: ({ listen }) => listenText(listen),
      risksOf,
    }),
  open: async ({ listeners, journalMaxBytes }, environment) => {
    const { SyslogSource } = await import('./syslog-source.ts');
    const { rememberRecovered } = await import('./listener-resends.ts');
    const onRecovered = rememberRecovered(listeners, environment.store);
    const journal = await openSourceJournal(
      { name: NAME, maxBytes: journalMaxBytes, lossRecord, onRecovered },
      environment,
    );
    return new SyslogSource({ listeners, journal, ...environment });
  },
  leftovers: async (store) => ({ streams: storedStatus(store, NAME) }),
};

function risksOf({ listen }: ListenerConfiguration): readonly string[] {
  if (!isExposed(listen)) return [];
  return [
    `${listenText(listen)} accepts unencrypted messages from other machines; use tls or relp+tls where the senders support it`,
  ];
}
