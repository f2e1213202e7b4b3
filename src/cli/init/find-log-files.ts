import { rotatedFrom } from '../../collector/sources/tail/files/rotation-names.ts';
import { SAMPLE_BYTES } from '../../formats/guess-format.ts';
import { escapeControls } from '../../runtime/logging/escape-controls.ts';
import { guessFormat } from '../search/guess-format.ts';
import { accessAdvice } from './access-advice.ts';
import type { FoundFile, LeftOut } from './findings.ts';
import type { MachineEntry, MachineFiles } from './machine-files.ts';

const LOG_DIRECTORY = '/var/log';
const MAX_DEPTH = 4;
const MAX_FILES = 1000;
/** Databases of logins, the journal, and the files of containers, which have sources of their own. */
const OTHER_DIRECTORIES = new Set(['journal', 'pods', 'containers', 'private', 'sysstat', 'sa']);
const NO_LOGS = new Set(['wtmp', 'btmp', 'lastlog', 'faillog', 'tallylog', 'README']);
const OLDER = /\.(?:gz|zst|xz|bz2|zip|old)$/i;
const GLOB = /[*?[\]{}!\\]/;

export interface FoundLogFiles {
  readonly files: readonly FoundFile[];
  readonly leftOut: readonly LeftOut[];
  readonly olderFiles: number;
}

/** The log files below /var/log, with their formats. */
export async function findLogFiles(files: MachineFiles): Promise<FoundLogFiles> {
  const search = new LogFileSearch(files);
  await search.look(LOG_DIRECTORY, 1);
  return search;
}

class LogFileSearch implements FoundLogFiles {
  readonly files: FoundFile[] = [];
  readonly leftOut: LeftOut[] = [];
  olderFiles = 0;
  readonly #machine: MachineFiles;

  constructor(machine: MachineFiles) {
    this.#machine = machine;
  }

  async look(path: string, depth: number): Promise<void> {
    try {
      for (const entry of await this.#machine.list(path)) await this.#lookAt(entry, depth);
    } catch (error) {
      this.#leave(path, await accessAdvice(this.#machine, path, error));
    }
  }

  async #lookAt(entry: MachineEntry, depth: number): Promise<void> {
    const { name, path, kind } = entry;
    if (NO_LOGS.has(name) || (kind === 'directory' && OTHER_DIRECTORIES.has(name))) return;
    if (kind === 'directory') {
      if (depth >= MAX_DEPTH) this.#leave(path, `it is deeper than ${MAX_DEPTH} directories`);
      else await this.look(path, depth + 1);
    } else if (kind === 'link') this.#leave(path, 'a symbolic link; its file can be added by its own path');
    else if (kind === 'other') this.#leave(path, 'not a regular file');
    else if (OLDER.test(name) || rotatedFrom(path) !== undefined) this.olderFiles++;
    else if (this.files.length >= MAX_FILES) this.#leave(path, `more than ${MAX_FILES} files`);
    else await this.#lookInto(path);
  }

  async #lookInto(path: string): Promise<void> {
    if (escapeControls(path) !== path || path.includes('\uFFFD'))
      return this.#leave(path, 'its name has control characters');
    if (GLOB.test(path)) return this.#leave(path, 'its name has characters with a meaning in a glob');
    try {
      const bytes = await this.#machine.beginning(path, SAMPLE_BYTES);
      if (bytes === 'not-a-file') this.#leave(path, 'not a regular file');
      else if (bytes.includes(0)) this.#leave(path, 'not text');
      else if (bytes.length === 0 && !path.endsWith('.log')) this.#leave(path, 'empty');
      else
        this.files.push({
          path,
          format: formatOf(bytes),
          bytes: (await this.#machine.stat(path))?.size ?? 0,
        });
    } catch (error) {
      this.#leave(path, await accessAdvice(this.#machine, path, error));
    }
  }

  #leave(path: string, reason: string): void {
    this.leftOut.push({ path, reason });
  }
}

/** The collector decides itself between plain lines and syslog. */
export function formatOf(bytes: Buffer): string {
  const format = guessFormat(bytes);
  return format === 'plain' || format === 'syslog' ? 'auto' : format;
}
