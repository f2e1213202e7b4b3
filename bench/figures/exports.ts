import { basename } from 'node:path';
import type { SourceText } from './source-text.ts';

const EXPORT =
  /^export (?:default )?(?:abstract )?(?:async )?(?:function\*?|class|const|let|interface|type) (\w+)/;

export type MainExport = 'first' | 'later' | 'none';

/** Where a file has the export that it is named for, compared without case and hyphens. */
export function mainExport({ path, lines }: SourceText): MainExport {
  const wanted = basename(path, '.ts').replaceAll('-', '').toLowerCase();
  const names = lines.flatMap((line) => EXPORT.exec(line)?.[1]?.toLowerCase() ?? []);
  const index = names.findIndex((name) => name === wanted || name === `create${wanted}`);
  if (index === -1) return 'none';
  return index === 0 ? 'first' : 'later';
}
