import type { Command } from 'commander';
import type { Context } from './context.ts';

/** A command as the list of `--help` shows it. */
export interface ListedCommand {
  readonly description: string;
  /** In the list, as Commander writes it: `[options] <file>`. */
  readonly usage: string;
  /** Loads the module of the command and creates it, without its description. */
  readonly load: () => Promise<(context: Context) => Command>;
}

/**
 * Commands are loaded by name: a collector does not need the memory of the emitters, and `status` needs neither half.
 * The list of all commands loads none.
 */
export const COMMANDS: Readonly<Record<string, ListedCommand>> = {
  aggregator: {
    description: 'Receive records from collectors, store them durably, and emit them in batches.',
    usage: '[options]',
    load: async () => (await import('./commands/aggregator-command.ts')).aggregatorCommand,
  },
  collector: {
    description: 'Follow files and stream their records to an aggregator.',
    usage: '[options]',
    load: async () => (await import('./commands/collector-command.ts')).collectorCommand,
  },
  standalone: {
    description: 'Run a collector and an aggregator in one process.',
    usage: '[options]',
    load: async () => (await import('./commands/standalone-command.ts')).standaloneCommand,
  },
  init: {
    description: 'Look at the logs of this machine, and write a first configuration.',
    usage: '[options]',
    load: async () => (await import('./commands/init.ts')).initCommand,
  },
  status: {
    description: 'Show how much was read, accepted and delivered, and how much waits.',
    usage: '[options]',
    load: async () => (await import('./commands/status.ts')).statusCommand,
  },
  top: {
    description: 'Show live what a collector and an aggregator do: streams, rates, lag, queue and losses.',
    usage: '[options]',
    load: async () => (await import('./commands/top.ts')).topCommand,
  },
  tap: {
    description: 'Show the records that pass a point of a running collector or aggregator.',
    usage: '[options] [point]',
    load: async () => (await import('./commands/tap.ts')).tapCommand,
  },
  explain: {
    description:
      'Explain how a collector reads a file: identity, stream, position, lag, or why it is not read.',
    usage: '[options] <file>',
    load: async () => (await import('./commands/explain.ts')).explainCommand,
  },
  forget: {
    description: 'Forget how far a file was read, so that a collector reads it again.',
    usage: '[options] <file>',
    load: async () => (await import('./commands/forget.ts')).forgetCommand,
  },
  'dead-letters': {
    description: 'List, show, replay or discard dead letters: records that an emitter has rejected.',
    usage: '',
    load: async () => (await import('./commands/dead-letters.ts')).deadLettersCommand,
  },
  emitters: {
    description: 'List the emitters in the state; forget one, or skip a damaged entry.',
    usage: '',
    load: async () => (await import('./commands/emitters.ts')).emittersCommand,
  },
  search: {
    description: 'Search log files, or the store of an aggregator that is not running.',
    usage: '[options] <files...>',
    load: async () => (await import('./commands/search-command.ts')).searchCommand,
  },
  send: {
    description: 'Send syslog messages to a syslog or RELP address.',
    usage: '[options] <address>',
    load: async () => (await import('./commands/send.ts')).sendCommand,
  },
  filter: {
    description: 'Check filters, run their tests, and try them on records.',
    usage: '',
    load: async () => (await import('./commands/filter-command.ts')).filterCommand,
  },
  config: {
    description: 'Show or check the configuration of a service, with a file of --config.',
    usage: '',
    load: async () => (await import('./commands/config-command.ts')).loadConfigCommand(),
  },
  certificates: {
    description: 'Create certificates for mutual TLS between collectors and aggregators; show a certificate.',
    usage: '',
    load: async () => (await import('./commands/certificates-command.ts')).certificatesCommand,
  },
  monitor: {
    description: 'Search stored logs; show metrics and alerts.',
    usage: '',
    load: async () => (await import('./commands/monitor-command.ts')).monitorCommand,
  },
};
