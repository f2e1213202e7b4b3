import { readFile } from 'node:fs/promises';
import { dirname } from 'node:path';
import type { Command } from 'commander';
import { type LoadedFilterTables, loadFilterTables } from '../../filter-files/load-filter-tables.ts';
import { CommandError } from '../command-error.ts';
import { fileErrorText } from '../output/file-error-text.ts';

/** The flags of all filter commands. */
export interface FilterFlags {
  readonly patterns?: readonly string[];
  readonly geoip?: string;
  readonly json?: boolean;
}

export function withFilterFlags(command: Command): Command {
  return command
    .argument('<file>', 'The filter.')
    .option('--patterns <files...>', 'Pattern files of Logstash or pyloggr. [default: only the library]')
    .option('--geoip <path>', 'MaxMind database for geoip. [default: geoip finds nothing]')
    .option('--json', 'Print JSON.');
}

export interface OpenedFilter {
  readonly file: string;
  readonly text: string;
  readonly tables: LoadedFilterTables;
}

/** Reads a filter and the files that it needs. Throws CommandError. */
export async function openFilter(file: string, { patterns, geoip }: FilterFlags): Promise<OpenedFilter> {
  const text = await readFile(file, 'utf8').catch((error: unknown) => {
    throw new CommandError(`Cannot read ${file}: ${fileErrorText(error)}`);
  });
  const files = { directory: dirname(file), patternFiles: patterns ?? [], geoipFile: geoip };
  const tables = await loadFilterTables(files).catch((error: unknown) => {
    throw new CommandError(`Cannot load the tables of ${file}: ${fileErrorText(error)}`);
  });
  return { file, text, tables };
}
