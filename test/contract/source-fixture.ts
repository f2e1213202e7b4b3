import type { RecordBatch } from '../../src/records/record-batch.ts';
import type { Environment } from '../../src/runtime/configuration/configuration.ts';

/** Describes a source for the contract test. */
export interface SourceFixture {
  /** As in the registry. */
  readonly name: string;
  /** Names a missing requirement of this machine; its tests are then skipped. */
  readonly missing?: string;
  /** Registers hooks for all tests of this source, such as the start of a server. */
  prepare?(): void;
  /** Something that writes records, for one test, in an empty directory. */
  open(directory: string): Promise<RecordOrigin>;
}

export interface RecordOrigin {
  /** Configures the source for this origin. */
  readonly environment: Environment;
  /** A part of the origin of its stream. Default: the directory. */
  readonly streamOrigin?: string;
  /** Writes records in order, while a source is running. Texts have no line breaks. */
  write(records: readonly string[]): Promise<void>;
  /** The texts of the records of a batch. */
  texts(batch: RecordBatch): readonly string[];
}
