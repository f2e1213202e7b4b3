import type { Logger } from 'pino';
import {
  type Environment,
  FILE_SUFFIX,
  textOf,
  type VariableTable,
} from '../runtime/configuration/configuration.ts';

/** A running process uses new values of these: the log level, and the certificates of TLS. */
const USED_AT_ONCE = /_(?:LOG_LEVEL|TLS_[A-Z_]+)$/;

/** The configuration with which a process was started, for the report of changes that it cannot use. */
export class CurrentConfiguration {
  readonly #table: VariableTable;
  readonly #logger: Logger;
  readonly #started: Environment;
  #reported = '';

  constructor(table: VariableTable, started: Environment, logger: Logger) {
    this.#table = table;
    this.#started = started;
    this.#logger = logger;
  }

  /** The configuration was read again: names the variables whose new values need a restart, once for each change. */
  reloaded(given: Environment): void {
    const changed = Object.values(this.#table)
      .filter((variable) => !USED_AT_ONCE.test(variable.name))
      .filter(
        (variable) =>
          textOf(variable, given) !== textOf(variable, this.#started) ||
          given[variable.name + FILE_SUFFIX] !== this.#started[variable.name + FILE_SUFFIX],
      )
      .map(({ name }) => name);
    const names = changed.join(', ');
    if (names === this.#reported) return;
    this.#reported = names;
    if (changed.length > 0)
      this.#logger.warn(
        { variables: changed },
        'The configuration has changed. Restart the process to use these variables',
      );
    else this.#logger.info('The configuration is again the one that the process runs with');
  }
}
