import { randomUUID } from 'node:crypto';
import { mkdir, readFile, rm } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { replaceFile } from '../../runtime/files/replace-file.ts';
import { syncDirectory } from '../../runtime/files/sync-directory.ts';
import type { EmitterContext, EmitterState } from '../emitter.ts';

/**
 * The name of the producer of a stream: one for each queue and emitter, since their numbers are compared.
 *
 *     <state directory>/rabbitmq/<name>/producer.json     written before the first message of the producer
 *     the state of the emitter                            committed with the cursor
 *
 * When the operator lets the emitter begin again, its state is gone and the file is not. Then the records are to be sent
 * again, so the producer gets a new name: the broker would drop what it has.
 */
export class ProducerIdentity {
  readonly #directory: string;
  readonly #committed: string | undefined;
  #content: Content | undefined;

  constructor({ stateDirectory, name, state }: Pick<EmitterContext, 'stateDirectory' | 'name' | 'state'>) {
    this.#directory = join(stateDirectory, 'rabbitmq', name);
    this.#committed = producerOf(state);
  }

  /** The name of the producer, which is on disk. Rejects if it cannot be read or written. */
  async producer(): Promise<string> {
    this.#content ??= await this.#load();
    return this.#content.producer;
  }

  /** The records are to be sent again: begins a new name. */
  async renew(): Promise<void> {
    this.#content = await this.#write({ producer: randomUUID(), isCommitted: false });
  }

  /** The state to commit with the next flush; undefined: it is committed. */
  get state(): EmitterState | undefined {
    const { producer, isCommitted = false } = this.#content ?? {};
    return producer === undefined || isCommitted ? undefined : { producer };
  }

  /** A flush with its state is committed. */
  async committed(): Promise<void> {
    const content = this.#content;
    if (content === undefined || content.isCommitted) return;
    this.#content = await this.#write({ ...content, isCommitted: true });
  }

  async #load(): Promise<Content> {
    const kept = await this.#read();
    if (kept === undefined) {
      // A new emitter. Or the file was removed: the state has the name.
      return await this.#write({ producer: this.#committed ?? randomUUID(), isCommitted: false });
    }
    const isForgotten = kept.isCommitted && this.#committed === undefined;
    if (isForgotten) return await this.#write({ producer: randomUUID(), isCommitted: false });
    const isJustCommitted = !kept.isCommitted && kept.producer === this.#committed;
    return isJustCommitted ? await this.#write({ ...kept, isCommitted: true }) : kept;
  }

  async #read(): Promise<Content | undefined> {
    const path = this.#path;
    try {
      const content: unknown = JSON.parse(await readFile(path, 'utf8'));
      if (isContent(content)) return content;
      throw new Error(`${path} has no producer. Remove the file: then records may be sent twice`);
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
      throw error;
    }
  }

  async #write(content: Content): Promise<Content> {
    const temporary = `${this.#path}.tmp`;
    if ((await mkdir(this.#directory, { recursive: true, mode: 0o700 })) !== undefined) {
      await syncDirectory(dirname(this.#directory));
      await syncDirectory(dirname(dirname(this.#directory)));
    }
    await rm(temporary, { force: true });
    await replaceFile(this.#path, JSON.stringify(content), { temporary, mode: 0o600 });
    return content;
  }

  get #path(): string {
    return join(this.#directory, 'producer.json');
  }
}

interface Content {
  readonly producer: string;
  /** The state of the emitter has the name. */
  readonly isCommitted: boolean;
}

function isContent(value: unknown): value is Content {
  const { producer, isCommitted } = (value ?? {}) as Partial<Content>;
  return typeof producer === 'string' && producer !== '' && typeof isCommitted === 'boolean';
}

function producerOf(state: EmitterState | undefined): string | undefined {
  const { producer } = (typeof state === 'object' && state !== null ? state : {}) as { producer?: unknown };
  return typeof producer === 'string' ? producer : undefined;
}
