import type { Logger } from 'pino';
import type { Counter, Gauge } from 'prom-client';
import type { EmitterContext } from '../emitter.ts';
import { emitterCounter, emitterGauge } from '../metrics.ts';

/** Events of the file emitter except writes: logs and counts each. */
export class FileEvents {
  readonly #logger: Logger;
  readonly #rotations: Counter.Internal;
  readonly #cutBytes: Counter.Internal;
  readonly #interferences: Counter.Internal;
  readonly #openFiles: Gauge.Internal<'emitter'>;

  constructor({ logger, metrics, name }: Pick<EmitterContext, 'logger' | 'metrics' | 'name'>) {
    this.#logger = logger;
    this.#rotations = emitterCounter(metrics, name, {
      name: 'aggregator_emitter_file_rotations_total',
      help: 'Output files renamed because of their size.',
    });
    this.#cutBytes = emitterCounter(metrics, name, {
      name: 'aggregator_emitter_file_cut_bytes_total',
      help: 'Uncommitted bytes truncated from output files; they are emitted again.',
    });
    this.#interferences = emitterCounter(metrics, name, {
      name: 'aggregator_emitter_file_interferences_total',
      help: 'Output files that another program changed.',
    });
    this.#openFiles = emitterGauge(metrics, name, {
      name: 'aggregator_emitter_file_open_files',
      help: 'Open output files.',
    });
  }

  opened(): void {
    this.#openFiles.inc();
  }

  closed(): void {
    this.#openFiles.dec();
  }

  rotated(path: string, to: string, bytes: number): void {
    this.#rotations.inc();
    this.#logger.info({ path, to, bytes }, 'Rotated an output file');
  }

  reopened(path: string): void {
    this.#logger.info({ path }, 'Reopened an output file that was moved');
  }

  truncated(path: string, bytes: number): void {
    this.#cutBytes.inc(bytes);
    this.#logger.info({ path, bytes }, 'Truncated uncommitted bytes; they will be emitted again');
  }

  adopted(path: string, bytes: number): void {
    this.#interferences.inc();
    this.#logger.warn(
      { path, bytes },
      'An output file contains bytes of another program; appending after them',
    );
  }

  notFound(path: string): void {
    this.#interferences.inc();
    this.#logger.warn(
      { path },
      'Cannot find a committed output file in its directory; its uncommitted bytes are emitted again',
    );
  }

  changedByOthers(path: string, expectedBytes: number, foundBytes: number): void {
    this.#interferences.inc();
    this.#logger.warn(
      { path, expectedBytes, foundBytes },
      'Another program wrote to an output file or truncated it; continuing at its current end',
    );
  }

  deleted(path: string): void {
    this.#interferences.inc();
    this.#logger.warn(
      { path },
      'An output file was deleted while open; its unflushed records are emitted again',
    );
  }

  openingFailed(path: string, error: unknown): void {
    this.#logger.warn({ path, error: messageOf(error) }, 'Cannot open an output file yet');
  }

  markerRemovalFailed(path: string, error: unknown): void {
    this.#logger.warn(
      { path, error: messageOf(error) },
      'Cannot remove the uncommitted marker of an output file yet',
    );
  }
}

export function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
