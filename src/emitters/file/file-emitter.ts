import type { Batch } from '../../records/batch.ts';
import type { Resource } from '../../records/resource.ts';
import type { Emitter, EmitterContext, FlushOutcome } from '../emitter.ts';
import { DELIVERED, type Outcome, type Retry } from '../outcome.ts';
import { sliceBytes } from '../slice-bytes.ts';
import { untilAborted } from '../until-aborted.ts';
import type { FileConfiguration } from './configuration.ts';
import { FileEvents, messageOf } from './events.ts';
import { fileStateFromJson, fileStateToJson } from './file-state.ts';
import { type FileSystem, nodeFileSystem } from './file-system.ts';
import { OutputFiles } from './output-files.ts';
import { expandPath, type PathTemplate, parsePathTemplate } from './path-template.ts';

/** What is gathered before it is written. */
const WRITE_BYTES = 1024 * 1024;

/**
 * Appends records to files, exactly once as long as one aggregator writes them.
 *
 * LIMITS. References to at most 1 MiB of records wait to be written; 64 files are open at a time (`max_open_files`); 1,000
 * are remembered. A rotated file is at least `rotate_bytes` long and at most as much longer as one flush brings.
 *
 * STATE. `flush` returns, for each file, its path, device, inode, length and the check of the 64 bytes before that length.
 * Delivery commits it in one transaction with the cursor. So cursor and lengths always belong together, and whatever lies
 * behind a committed length will be emitted again:
 *
 *     emit emit      flush                    commit
 *     write write    write fdatasync  ------> cursor + lengths
 *                    (and the directory)
 *
 * FAILURE. When a write is short, or fails, or fdatasync does, every file is cut back to where the last flush left it, and
 * the answer is `retry, undone`. While that cannot be done, nothing is written.
 *
 * RESTART. Each file is brought back to its committed length before anything is written (`open-output.ts`):
 *
 *     same inode, same bytes before the length    cut to the length
 *     that inode under another name               cut that one; the path gets a new file
 *     neither                                     somebody else's: cut nothing, begin at the present end, warn
 *
 * A file that no committed state knows yet has a birth note beside it, which says where our bytes begin
 * (`birth-note.ts`). It is written before the first of them and goes with the first commit.
 *
 * ROTATION. Before the first write after a flush, and only of a file that a committed state knows, a file that is large
 * enough is renamed to the next number, which it keeps. So nothing that may have to be cut ever lies in two files of one
 * path. Reopening (SIGHUP) waits for the same moment.
 *
 * What others may do: rename, delete, or truncate a file while we hold it (logrotate does all three). A rename costs
 * nothing; after a deletion the unflushed records come again, in a new file; after a truncation we go on at the new end.
 * A second writer is refused by a lock (`file-lock.ts`).
 */
export class FileEmitter implements Emitter {
  readonly #configuration: FileConfiguration;
  readonly #context: EmitterContext;
  readonly #disk: FileSystem;
  readonly #template: PathTemplate;
  /** Slices of one collector share their resource: the path is put together once for each. */
  readonly #paths = new WeakMap<Resource, string>();
  #outputs: OutputFiles | undefined;
  #queue: Promise<unknown> = Promise.resolve();

  constructor(configuration: FileConfiguration, context: EmitterContext, disk: FileSystem = nodeFileSystem) {
    this.#configuration = configuration;
    this.#context = context;
    this.#disk = disk;
    const { path } = configuration;
    this.#template = parsePathTemplate(path) ?? { text: path, parts: [path] };
  }

  async start(): Promise<void> {
    const { rotate_bytes, max_open_files, fsync, mode } = this.#configuration;
    const outputs = new OutputFiles(
      {
        disk: this.#disk,
        events: new FileEvents(this.#context),
        mode,
        fsync,
        rotateBytes: rotate_bytes,
        maxOpenFiles: max_open_files,
        holder: `process ${process.pid}, emitter "${this.#context.name}"`,
      },
      fileStateFromJson(this.#context.state),
    );
    this.#outputs = outputs;
    await this.#exclusive(async () => {
      await outputs.recover();
      if (this.#template.parts.length === 1) await outputs.prepare(this.#template.text);
    });
  }

  emit(batch: Batch): Promise<Outcome> {
    return this.#guarded(async (outputs) => {
      for (const slice of batch.slices) {
        await outputs.append(this.#pathOf(slice.resource), sliceBytes(slice, this.#configuration.format));
        if (outputs.pendingBytes >= WRITE_BYTES) await outputs.write();
      }
      return DELIVERED;
    });
  }

  flush(): Promise<FlushOutcome> {
    return this.#guarded(async (outputs) => ({
      kind: 'delivered',
      state: fileStateToJson(await outputs.flush()),
    }));
  }

  async committed(): Promise<void> {
    await this.#exclusive(async () => this.#outputs?.committed());
  }

  async reopen(): Promise<void> {
    await this.#exclusive(async () => this.#outputs?.reopen());
  }

  async stop(deadline: AbortSignal): Promise<void> {
    const stopped = this.#exclusive(async () => {
      // What was written and not flushed will be emitted again: it goes now rather than at the next start.
      await this.#outputs?.undo();
      await this.#outputs?.close();
      this.#outputs = undefined;
    });
    await untilAborted(stopped, deadline);
  }

  #pathOf(resource: Resource): string {
    let path = this.#paths.get(resource);
    if (path === undefined) {
      path = expandPath(this.#template, resource);
      this.#paths.set(resource, path);
    }
    return path;
  }

  /** Runs `work`; when it fails, everything since the last delivered flush is taken back. */
  #guarded<T>(work: (outputs: OutputFiles) => Promise<T>): Promise<T | Retry> {
    return this.#exclusive(async () => {
      const outputs = this.#outputs;
      if (outputs === undefined) return { kind: 'retry', reason: 'the emitter is not started', undone: true };
      try {
        await outputs.repair();
        return await work(outputs);
      } catch (error) {
        await outputs.dropDeleted(error);
        await outputs.undo();
        return { kind: 'retry', reason: messageOf(error), undone: true };
      }
    });
  }

  /** One at a time: a reopening may be asked for in the middle of a write. */
  #exclusive<T>(work: () => Promise<T>): Promise<T> {
    const result = this.#queue.then(work);
    this.#queue = result.catch(() => {});
    return result;
  }
}
