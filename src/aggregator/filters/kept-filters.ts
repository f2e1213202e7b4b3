import { createHash } from 'node:crypto';
import { mkdir, readdir, readFile, rm } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { z } from 'zod';
import type { FilterSource } from '../../emitters/filtering/filter-source.ts';
import { tablePath } from '../../filter-files/live-tables.ts';
import { errorMessage } from '../../runtime/error-message.ts';
import { replaceFile } from '../../runtime/files/replace-file.ts';
import { syncDirectory } from '../../runtime/files/sync-directory.ts';

/**
 * The last valid filter of each emitter, with the tables and patterns that it was checked with. An aggregator
 * whose filter file is invalid starts with this copy.
 *
 *     <state directory>/filters/
 *       <emitter>/kept.json           the name, the path and the digests of the copy
 *       <emitter>/<copy>/program      the filter
 *       <emitter>/<copy>/tables/      its tables and patterns under their own names
 *
 * A copy is complete before `kept.json` names it. A copy that differs from its digests is not used. The GeoIP
 * database is not copied.
 */
export class KeptFilters {
  readonly #directory: string;
  /** The copies of this process, as text. */
  readonly #known = new Map<string, string>();

  constructor(stateDirectory: string) {
    this.#directory = join(stateDirectory, 'filters');
  }

  /** undefined: there is no copy. Rejects with the reason if the copy cannot be used. */
  async read(emitter: string): Promise<FilterSource | undefined> {
    const text = await textOf(join(this.#directory, emitter, MANIFEST));
    if (text === undefined) return undefined;
    const { name, file, program, files } = parsedManifest(text);
    const copy = this.#copyOf(emitter, text);
    const bytes = await verified(join(copy, PROGRAM), program);
    const directory = join(copy, TABLES);
    for (const [table, digest] of Object.entries(files)) await verified(join(directory, table), digest);
    return { name, file, text: bytes.toString('utf8'), directory };
  }

  /** Replaces the copy. If that fails, there is none: an older filter may pass what this one masks. */
  async keep(emitter: string, source: FilterSource): Promise<void> {
    const text = manifestOf(source);
    if (this.#known.get(emitter) === text) return;
    try {
      await this.#write(emitter, source, text);
      this.#known.set(emitter, text);
    } catch (error) {
      await this.forget(emitter).catch(() => undefined);
      throw error;
    }
  }

  /** Removes the copies that are not in use any more. */
  async prune(emitter: string): Promise<void> {
    const home = join(this.#directory, emitter);
    const text = await textOf(join(home, MANIFEST));
    const kept = text === undefined ? undefined : basename(this.#copyOf(emitter, text));
    for (const name of await namesIn(home))
      if (name !== MANIFEST && name !== kept) await rm(join(home, name), { recursive: true, force: true });
  }

  async forget(emitter: string): Promise<void> {
    this.#known.delete(emitter);
    // The manifest first: a copy without it is not used.
    await rm(join(this.#directory, emitter, MANIFEST), { force: true });
    await rm(join(this.#directory, emitter), { recursive: true, force: true });
  }

  /** Forgets the emitters that are not configured any more. */
  async forgetOthers(emitters: ReadonlySet<string>): Promise<void> {
    for (const name of await namesIn(this.#directory)) if (!emitters.has(name)) await this.forget(name);
  }

  async #write(emitter: string, source: FilterSource, text: string): Promise<void> {
    const home = join(this.#directory, emitter);
    const copy = this.#copyOf(emitter, text);
    const directory = join(copy, TABLES);
    // A crash may have left a part of the copy.
    await rm(copy, { recursive: true, force: true });
    await mkdir(directory, { recursive: true, mode: 0o700 });
    await writeSynced(join(copy, PROGRAM), Buffer.from(source.text));
    const from = source.directory ?? dirname(source.file);
    for (const [name, digest] of Object.entries(source.tables?.files ?? {}))
      await writeSynced(join(directory, name), await verified(tablePath(from, source.live, name), digest));
    for (const each of [directory, copy, home]) await syncDirectory(each);
    const temporary = join(home, `${MANIFEST}.new`);
    await rm(temporary, { force: true });
    await replaceFile(join(home, MANIFEST), text, { temporary, mode: 0o600 });
  }

  #copyOf(emitter: string, manifest: string): string {
    return join(this.#directory, emitter, digestOf(Buffer.from(manifest)).slice(0, 32));
  }
}

const MANIFEST = 'kept.json';
const PROGRAM = 'program';
const TABLES = 'tables';

const manifestShape = z.object({
  version: z.literal(1),
  name: z.string(),
  file: z.string(),
  program: z.string(),
  files: z.record(z.string(), z.string()),
});

function manifestOf({ name, file, text, tables }: FilterSource): string {
  const program = digestOf(Buffer.from(text));
  return `${JSON.stringify({ version: 1, name, file, program, files: tables?.files ?? {} })}\n`;
}

function parsedManifest(text: string): z.infer<typeof manifestShape> {
  try {
    const manifest = manifestShape.parse(JSON.parse(text));
    const isOutside = Object.keys(manifest.files).some((name) => basename(name) !== name || name === '..');
    if (isOutside) throw new Error('it names a file of another directory');
    return manifest;
  } catch (error) {
    throw new Error(`${MANIFEST} is damaged: ${errorMessage(error)}`, { cause: error });
  }
}

async function verified(path: string, digest: string): Promise<Buffer> {
  const bytes = await readFile(path);
  if (digestOf(bytes) !== digest) throw new Error(`${path} differs from its digest`);
  return bytes;
}

async function writeSynced(path: string, bytes: Buffer): Promise<void> {
  await replaceFile(path, bytes, { temporary: `${path}.new`, mode: 0o600 });
}

async function textOf(path: string): Promise<string | undefined> {
  return readFile(path, 'utf8').catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return undefined;
    throw error;
  });
}

async function namesIn(directory: string): Promise<readonly string[]> {
  return readdir(directory).catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return [];
    throw error;
  });
}

function digestOf(bytes: Buffer): string {
  return createHash('sha256').update(bytes).digest('hex');
}
