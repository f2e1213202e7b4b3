import type { Logger } from 'pino';
import type { Counter, Gauge } from 'prom-client';
import type { EmitterContext } from '../emitter.ts';
import { emitterCounter, emitterGauge } from '../metrics.ts';

/** What happens in the file emitter besides writing: each is logged and counted here. */
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
      help: 'Output files that were renamed because of their size.',
    });
    this.#cutBytes = emitterCounter(metrics, name, {
      name: 'aggregator_emitter_file_cut_bytes_total',
      help: 'Bytes cut from output files because they were not committed and are emitted again.',
    });
    this.#interferences = emitterCounter(metrics, name, {
      name: 'aggregator_emitter_file_interferences_total',
      help: 'Output files that were not as this emitter had left them.',
    });
    this.#openFiles = emitterGauge(metrics, name, {
      name: 'aggregator_emitter_file_open_files',
      help: 'Output files that are open.',
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

  cut(path: string, bytes: number): void {
    this.#cutBytes.inc(bytes);
    this.#logger.info({ path, bytes }, 'Cut bytes that were not committed; they will be emitted again');
  }

  adopted(path: string, bytes: number): void {
    this.#interferences.inc();
    this.#logger.warn(
      { path, bytes },
      'An output file holds bytes that this emitter does not know; it leaves them and begins at their end',
    );
  }

  lostSight(path: string): void {
    this.#interferences.inc();
    this.#logger.warn(
      { path },
      'The output file that the last commit knows is gone from its directory; bytes in it that were not committed are emitted again',
    );
  }

  changedByOthers(path: string, expectedBytes: number, foundBytes: number): void {
    this.#interferences.inc();
    this.#logger.warn(
      { path, expectedBytes, foundBytes },
      'Somebody else wrote to an output file or cut it; this emitter goes on at its present end',
    );
  }

  deleted(path: string): void {
    this.#interferences.inc();
    this.#logger.warn(
      { path },
      'An output file was deleted while it was written; what it held since is emitted again',
    );
  }

  openingFailed(path: string, error: unknown): void {
    this.#logger.warn({ path, error: messageOf(error) }, 'An output file cannot be opened yet');
  }

  noteRemains(path: string, error: unknown): void {
    this.#logger.warn(
      { path, error: messageOf(error) },
      'The birth note of an output file cannot be removed yet',
    );
  }
}

export function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
