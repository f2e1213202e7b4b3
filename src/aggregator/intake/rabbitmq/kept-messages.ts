import { mkdir, readdir, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { replaceFile } from '../../../runtime/files/replace-file.ts';
import type { Delivery } from '../../../transport/rabbitmq/queue-consumer.ts';

/** Of all kept messages together. */
const MAX_BYTES = 64 * 1024 * 1024;
const FILE_MODE = 0o600;

/**
 * Keeps rejected messages of a queue without a dead letter exchange: one JSON file for each, with the content in base64.
 * An operator reads and deletes them.
 */
export class KeptMessages {
  readonly directory: string;
  readonly #maxBytes: number;
  #bytes: number | undefined;
  #count = 0;

  constructor(stateDirectory: string, maxBytes: number = MAX_BYTES) {
    this.directory = join(stateDirectory, 'rabbitmq-rejected');
    this.#maxBytes = maxBytes;
  }

  /** Resolves with the path when the message is on disk; undefined: the directory is full. Rejects if it cannot be written. */
  async keep(
    delivery: Delivery,
    about: { readonly queue: string; readonly reason: string; readonly atMs: number },
  ) {
    const text = textOf(delivery, about);
    if ((await this.#usedBytes()) + text.length > this.#maxBytes) {
      // The operator may have deleted files.
      this.#bytes = undefined;
      if ((await this.#usedBytes()) + text.length > this.#maxBytes) return undefined;
    }
    const path = join(this.directory, `${about.atMs}-${process.pid}-${++this.#count}.json`);
    await replaceFile(path, text, { temporary: `${path}.new`, mode: FILE_MODE });
    this.#bytes = (this.#bytes ?? 0) + text.length;
    return path;
  }

  async #usedBytes(): Promise<number> {
    if (this.#bytes !== undefined) return this.#bytes;
    await mkdir(this.directory, { recursive: true, mode: 0o700 });
    const names = await readdir(this.directory);
    const sizes = await Promise.all(names.map(async (name) => (await stat(join(this.directory, name))).size));
    this.#bytes = sizes.reduce((sum, size) => sum + size, 0);
    return this.#bytes;
  }
}

function textOf(
  { content, properties, exchange, routingKey }: Delivery,
  { queue, reason, atMs }: { readonly queue: string; readonly reason: string; readonly atMs: number },
): string {
  const { messageId, type, contentType, appId, headers } = properties;
  const kept = {
    ...{ reason, time: new Date(atMs).toISOString(), queue, exchange, routing_key: routingKey },
    ...{ message_id: messageId, type, content_type: contentType, app_id: appId, headers },
    content_base64: content.toString('base64'),
  };
  return `${JSON.stringify(kept, null, 1)}\n`;
}
