import type { Batch } from '../../records/batch.ts';
import { SerialQueue } from '../../runtime/async/serial-queue.ts';
import { untilAborted } from '../../runtime/async/until-aborted.ts';
import { errorMessage } from '../../runtime/error-message.ts';
import type { Emitter, EmitterContext, FlushOutcome } from '../emitter.ts';
import { DELIVERED, type Outcome, type Retry } from '../outcome.ts';
import { sliceBytes } from '../slice-bytes.ts';
import type { FileConfiguration } from './configuration.ts';
import { FILE_EVENTS } from './events.ts';
import { fileStateFromJson, fileStateToJson } from './file-state.ts';
import { type FileSystem, nodeFileSystem } from './file-system.ts';
import { OutputFiles } from './output-files.ts';
import { type PathTemplate, parsePathTemplate } from './path-template.ts';
import { PathsOfRecords } from './paths-of-records.ts';

/** Size at which buffered records are written. Writes of 1 MiB cost 8 % more processor time for a whole transfer. */
const WRITE_BYTES = 4 * 1024 * 1024;
/** A record is not buffered longer than this while more records follow, also if these come slowly. */
const WRITE_AFTER_MS = 10;

/**
 * Appends records to files, exactly once as long as one aggregator writes them.
 *
 * LIMITS. At most 4 MiB of records, and one batch, are buffered (by reference), for 10 ms; 64 files are open at a time
 * (`max_open_files`); 1,000 are remembered. A rotated file has at least `rotate_bytes`, and exceeds that by
 * at most one flush.
 *
 * STATE. For each file, `flush` returns its path, device, inode, length and a checksum of the 64 bytes before
 * that length. Delivery commits this in one transaction with the cursor. So cursor and lengths are always
 * consistent, and all bytes after a committed length will be emitted again:
 *
 *     emit emit      flush                    commit
 *     write write    write fdatasync  ------> cursor + lengths
 *                    (and the directory)
 *
 * FAILURE. If a write or fdatasync fails or a write is short, every file is truncated to its length at the
 * last flush, and the outcome is `retry, rolledBack`. Until that succeeds, nothing is written.
 *
 * RESTART. Each file is truncated to its committed length before anything is written (`open-output.ts`):
 *
 *     same inode, same bytes before the length    truncate to the length
 *     that inode under another name               truncate that file; create a new one at the path
 *     neither                                     another program's file: append at its end, log a warning
 *
 * Until its first commit, a file has an uncommitted marker next to it with the offset of the emitter's first
 * byte (`uncommitted-marker.ts`). The marker is written before that byte and removed after the first commit.
 *
 * ROTATION. A file that is large enough is renamed to the next number, which never changes afterwards. This
 * happens before the first write after a flush, and only to a file with a committed state. So bytes that may
 * have to be truncated are never in two files of one path. Reopening (SIGHUP) waits for the same moment.
 *
 * Other programs may rename, delete or truncate an open file (logrotate does all three). A rename has no
 * effect; after a deletion the unflushed records are emitted again to a new file; after a truncation the
 * emitter continues at the new end. A lock rejects a second writer (`file-lock.ts`).
 */
export class FileEmitter implements Emitter {
  readonly #configuration: FileConfiguration;
  readonly #context: EmitterContext;
  readonly #disk: FileSystem;
  readonly #template: PathTemplate;
  readonly #paths: PathsOfRecords;
  #outputs: OutputFiles | undefined;
  /** When the oldest buffered record was buffered, monotonic. */
  #bufferedMs: number | undefined;
  /** `reopen` may be called during a write. */
  readonly #calls = new SerialQueue();

  constructor(configuration: FileConfiguration, context: EmitterContext, disk: FileSystem = nodeFileSystem) {
    this.#configuration = configuration;
    this.#context = context;
    this.#disk = disk;
    const { path } = configuration;
    this.#template = parsePathTemplate(path) ?? { text: path, parts: [path] };
    this.#paths = new PathsOfRecords(this.#template);
  }

  async start(): Promise<void> {
    const { rotate_bytes, max_open_files, fsync, mode } = this.#configuration;
    const outputs = new OutputFiles(
      {
        disk: this.#disk,
        events: FILE_EVENTS.open({ ...this.#context, labels: { emitter: this.#context.name } }),
        mode,
        fsync,
        rotateBytes: rotate_bytes,
        maxOpenFiles: max_open_files,
        holder: `process ${process.pid}, emitter "${this.#context.name}"`,
      },
      fileStateFromJson(this.#context.state),
    );
    this.#outputs = outputs;
    await this.#calls.run(async () => {
      await outputs.recover();
      if (this.#template.parts.length === 1) await outputs.prepare(this.#template.text);
    });
  }

  emit(batch: Batch): Promise<Outcome> {
    return this.#guarded(async (outputs) => {
      for (const { path, slices } of this.#paths.divide(batch)) {
        for (const slice of slices) await outputs.append(path, sliceBytes(slice, this.#configuration.format));
        if (this.#isWriteDue(outputs)) await outputs.write();
      }
      return DELIVERED;
    });
  }

  #isWriteDue({ pendingBytes }: OutputFiles): boolean {
    const nowMs = this.#context.clock.monotonicMs();
    this.#bufferedMs ??= nowMs;
    if (pendingBytes < WRITE_BYTES && nowMs - this.#bufferedMs < WRITE_AFTER_MS) return false;
    this.#bufferedMs = undefined;
    return true;
  }

  flush(): Promise<FlushOutcome> {
    return this.#guarded(async (outputs) => {
      this.#bufferedMs = undefined;
      return { kind: 'delivered', state: fileStateToJson(await outputs.flush()) };
    });
  }

  async committed(): Promise<void> {
    await this.#calls.run(async () => this.#outputs?.committed());
  }

  async reopen(): Promise<void> {
    await this.#calls.run(async () => this.#outputs?.reopen());
  }

  async stop(deadline: AbortSignal): Promise<void> {
    const stopped = this.#calls.run(async () => {
      // Written but unflushed bytes will be emitted again: this removes them now instead of at the next
      // start.
      await this.#outputs?.rollBack();
      await this.#outputs?.close();
      this.#outputs = undefined;
    });
    await untilAborted(stopped, deadline);
  }

  /** Runs `work`; if it fails, rolls back everything since the last delivered flush. */
  #guarded<T>(work: (outputs: OutputFiles) => Promise<T>): Promise<T | Retry> {
    return this.#calls.run(async () => {
      const outputs = this.#outputs;
      if (outputs === undefined)
        return { kind: 'retry', reason: 'the emitter is not started', rolledBack: true };
      try {
        await outputs.repair();
        return await work(outputs);
      } catch (error) {
        await outputs.dropDeleted(error);
        await outputs.rollBack();
        return { kind: 'retry', reason: errorMessage(error), rolledBack: true };
      }
    });
  }
}
