import type { Check } from '../../records/check.ts';
import { type CompressionName, compressLz4 } from '../../records/compression.ts';
import { encodeBatchRequest } from '../../records/publish-codec.ts';
import type { RecordBatch } from '../../records/record-batch.ts';
import type { EncodedData } from '../../records/wire.ts';

/** Below this LZ4 gains nothing worth a task. */
const COMPRESS_FROM_BYTES = 256;

export interface OutgoingBatch {
  readonly sequence: number;
  readonly batch: RecordBatch;
  readonly endCheck: Check;
}

/**
 * Compresses batches side by side and writes them in order. The buffer under a batch is the reader's again (`written`)
 * as soon as the batch has been encoded.
 */
export class BatchWriter {
  readonly #compression: CompressionName;
  readonly #write: (message: Buffer) => void;
  #last: Promise<void> = Promise.resolve();

  constructor(compression: CompressionName, write: (message: Buffer) => void) {
    this.#compression = compression;
    this.#write = write;
  }

  /** Resolves when everything given so far has been written. */
  get idle(): Promise<void> {
    return this.#last;
  }

  write(outgoing: OutgoingBatch, written: () => void): void {
    const compressed = this.#compress(outgoing.batch.data);
    this.#last = this.#last.then(async () => {
      try {
        this.#write(encodeBatchRequest({ ...outgoing, data: await compressed }));
      } finally {
        written();
      }
    });
  }

  async #compress(data: Uint8Array): Promise<EncodedData> {
    if (this.#compression === 'none' || data.length < COMPRESS_FROM_BYTES)
      return { compression: 'none', bytes: data };
    const bytes = await compressLz4(data);
    return bytes.length < data.length ? { compression: 'lz4', bytes } : { compression: 'none', bytes: data };
  }
}
