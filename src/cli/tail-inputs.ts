import type { CollectorConfig } from '../collector/config.ts';
import type { TailEntry } from '../collector/sources/tail/files/tail-configuration.ts';
import { tailConfigurationOf } from '../collector/sources/tail/type.ts';

/** The files that a collector reads. */
export interface TailInputs {
  readonly tail: readonly TailEntry[];
  /** The only file to read; it is part of `tail`. */
  readonly sourceFile: string | undefined;
  readonly once: boolean;
}

export function tailInputs({ sources, once }: Pick<CollectorConfig, 'sources' | 'once'>): TailInputs {
  const { entries = [], sourceFile } = tailConfigurationOf(sources) ?? {};
  return { tail: entries, sourceFile, once };
}
