import { join, resolve } from 'node:path';

/** Tables that the aggregator writes while it runs. Filters name them like files of their directory. */
export interface LiveTables {
  readonly directory: string;
  /** The columns of each table, by its name. A table without a file is empty. */
  readonly columns: Readonly<Record<string, readonly string[]>>;
}

/** The path of a table that a filter names. A live table wins over a file of the directory. */
export function tablePath(directory: string, live: LiveTables | undefined, name: string): string {
  return isLive(live, name) ? join(live.directory, name) : resolve(directory, name);
}

export function isLive(live: LiveTables | undefined, name: string): live is LiveTables {
  return live !== undefined && Object.hasOwn(live.columns, name);
}
