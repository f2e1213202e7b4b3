import { storedStatus } from '../../journal/channel-status.ts';
import type { SourceType } from '../source-type.ts';
import { isExposed, listenText } from './listen-address.ts';
import { type ListenerConfiguration, repeatedAddress } from './listener-configuration.ts';
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
  parse: ({ addresses: short = [], configuration: full = [], syslogJournalMaxBytes: journalMaxBytes }) => {
    const listeners = [...short, ...full];
    const repeated = repeatedAddress(listeners);
    return {
      configuration: listeners.length === 0 ? undefined : { listeners, journalMaxBytes },
      problems:
        repeated === undefined ? [] : [{ variable: addresses.name, message: `has ${repeated} twice` }],
      warnings: [...warningsOf(short, addresses.name), ...warningsOf(full, configurationVariable.name)],
    };
  },
  open: async ({ listeners, journalMaxBytes }, environment) => {
    const { Journal } = await import('../../journal/journal.ts');
    const { SyslogSource } = await import('./syslog-source.ts');
    const { stateDirectory, store, resource, ...dependencies } = environment;
    const journal = await Journal.open({
      name: NAME,
      directory: stateDirectory,
      state: store,
      maxBytes: journalMaxBytes,
      lossRecord,
      ...dependencies,
    });
    return new SyslogSource({ listeners, resource, journal, store, ...dependencies });
  },
  leftovers: async (store) => ({ streams: storedStatus(store, NAME) }),
};

function warningsOf(listeners: readonly ListenerConfiguration[], variable: string) {
  return listeners
    .filter(({ listen }) => isExposed(listen))
    .map(({ listen }) => ({
      variable,
      message: `${listenText(listen)} accepts unencrypted messages from other machines; use tls or relp+tls where the senders support it`,
    }));
}
